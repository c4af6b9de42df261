#!/bin/sh
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# make-certs.sh FOLDER: a CA for tests and certificates by it. Needs openssl.
#
#   ca.pem           the CA, to be trusted
#   good.pem         127.0.0.1, localhost, s3.localhost and *.s3.localhost; each of these four with its key in the same file
#   expired.pem      127.0.0.1 and localhost, no longer valid
#   other-host.pem   another host
#   client.pem       a client; also as client-cert.pem and client-key.pem
set -eu
mkdir -p "$1"
cd "$1"
exec 3>&2 2>log
trap '[ $? = 0 ] || cat log >&3' EXIT

new_key () { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"; }

new_key ca.key
openssl req -x509 -new -key ca.key -out ca.pem -days 7300 -subj "/CN=test CA" \
  -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign

# "openssl ca" takes a day in the past on every version; "openssl x509 -days -1" is refused by 3.5.
cat >ca.cnf <<'CONFIG'
[ca]
default_ca = test
[test]
database = index.txt
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
rand_serial = yes
default_md = sha256
policy = any
[any]
commonName = supplied
CONFIG
: >index.txt

# certificate NAME LAST-DAY USAGE SUBJECT-ALT-NAME
certificate () {
  new_key "$1.key"
  openssl req -new -key "$1.key" -out "$1.csr" -subj "/CN=$1"
  printf 'basicConstraints=CA:FALSE\nextendedKeyUsage=%s\nsubjectAltName=%s\n' "$3" "$4" >"$1.ext"
  openssl ca -batch -notext -config ca.cnf -in "$1.csr" -startdate 20200101000000Z -enddate "$2"000000Z -extfile "$1.ext" -out "$1.crt"
  cat "$1.crt" "$1.key" >"$1.pem"
}

certificate good 20491231 serverAuth 'DNS:localhost,IP:127.0.0.1,DNS:s3.localhost,DNS:*.s3.localhost'
certificate expired 20200102 serverAuth DNS:localhost,IP:127.0.0.1
certificate other-host 20491231 serverAuth DNS:other.example
certificate client 20491231 clientAuth DNS:client.example
cp client.crt client-cert.pem
cp client.key client-key.pem
rm -f ./*.csr ./*.ext ./index.txt* ./ca.cnf ./[0-9A-F]*.pem
chmod 644 ./*.pem ./*.key ./*.crt
