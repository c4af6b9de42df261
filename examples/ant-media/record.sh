#!/bin/sh
# amshls: HLS recording for GStreamer
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Ant Media Server's recording set-ups as lines of gst-launch-1.0. Copy a line, or run it:
#
#   record.sh SETUP      until Ctrl-C; the same command continues the recording, but for those that say otherwise
#   record.sh --list     the set-ups, and the settings for which they stand
#
# From the environment:
#
#   SOURCE     what gives H.264 or H.265, in gst-launch's words (default: a live test picture), such as
#              SOURCE='rtspsrc location=rtsp://camera/ ! rtph264depay'
#   STREAM     Ant Media's streamId (stream1)
#   STREAMS    folder of the recordings (streams)
#   TIME       hlsTime in seconds (2)
#   LIST       hlsListSize (15)
#   ENDPOINT   hlsHttpEndpoint, with a / at its end (http://127.0.0.1:8080/hls-upload/)
#   S3         s3Endpoint (http://127.0.0.1:7480)
#   BUCKET     s3BucketName (rec)
#   REGION     s3RegionName (us-east-1)
#   SPOOL      folder for what servers do not have yet (spool)
#
# s3AccessKey and s3SecretKey are AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile: no set-up has them in its line, where others could see them.
#
# Not there yet: hlsEncryptionKeyInfoFile, id3TagEnabled, hlsSegmentType=fmp4.
# shellcheck disable=SC2086
set -euf # $SOURCE is several words, none of them a pattern

: "${SOURCE:=videotestsrc is-live=true ! video/x-raw,format=I420 ! x264enc tune=zerolatency key-int-max=30}" "${STREAM:=stream1}" "${STREAMS:=streams}" "${TIME:=2}" "${LIST:=15}"
: "${ENDPOINT:=http://127.0.0.1:8080/hls-upload/}" "${S3:=http://127.0.0.1:7480}" "${BUCKET:=rec}" "${REGION:=us-east-1}" "${SPOOL:=spool}"
case "$STREAMS" in /*) ;; *) STREAMS=$PWD/$STREAMS ;; esac # so that objects have the files' names without the folder

usage() { sed -n '/^# Ant Media/,/^# Not there/s/^# \{0,1\}//p' "$0"; }
# Each set-up is a label with a comment below.
list() { sed -n 's/^  \([a-z0-9-]*\)) # \(.*\)/\1\t\2/p' "$0" | expand -t 22; }

case "${1:---help}" in
  event) # hlsPlayListType=event, deleteHLSFilesOnEnded=false: all is listed and kept. {streamId}%09d.ts, {streamId}.m3u8
    exec gst-launch-1.0 -e $SOURCE ! amshlssink target-duration="$TIME" playlist-type=event location="$STREAMS/$STREAM%09d.ts" playlist-location="$STREAMS/$STREAM.m3u8" ;;

  append) # hlsflags=+append_list: goes on where the last run ended (the default), or an error if that cannot be read
    exec gst-launch-1.0 -e $SOURCE ! amshlssink target-duration="$TIME" existing=append location="$STREAMS/$STREAM%09d.ts" playlist-location="$STREAMS/$STREAM.m3u8" ;;

  date-time) # addDateTimeToHlsFileName=true: each run is a recording of its own. {streamId}-yyyy-MM-dd_HH-mm-ss.SSS-%09d.ts
    exec gst-launch-1.0 -e $SOURCE ! amshlssink target-duration="$TIME" add-date-time=true location="$STREAMS/$STREAM%09d.ts" playlist-location="$STREAMS/$STREAM.m3u8" ;;

  http-endpoint) # hlsHttpEndpoint=http://…/hls-upload/: to a server that takes PUT, while it runs
    exec gst-launch-1.0 -e $SOURCE ! amshlssink target-duration="$TIME" location="$STREAM%09d.ts" playlist-location="$STREAM.m3u8" ! amshttpput location="$ENDPOINT" spool-dir="$SPOOL/$STREAM" ;;

  s3-live) # s3RecordingEnabled=true by way of the upload servlet; s3Endpoint, s3BucketName, s3RegionName, s3StreamsFolderPath=streams: to S3, while it runs
    exec gst-launch-1.0 -e $SOURCE ! amshlssink target-duration="$TIME" location="$STREAM%09d.ts" playlist-location="$STREAM.m3u8" ! amss3put endpoint="$S3" region="$REGION" bucket="$BUCKET" key-prefix=streams/ spool-dir="$SPOOL/$STREAM" ;;

  s3-at-end) # s3RecordingEnabled=true alone ("upload when finished"): to disk while it runs, and to S3 when it has ended
    exec gst-launch-1.0 -e $SOURCE ! amshlssink write-files=always target-duration="$TIME" location="$STREAMS/$STREAM%09d.ts" playlist-location="$STREAMS/$STREAM.m3u8" ! amss3put endpoint="$S3" region="$REGION" bucket="$BUCKET" key-prefix=streams/ upload=at-eos drain-timeout=-1 spool-dir="$SPOOL/$STREAM" ;;

  defaults) # Ant Media's defaults: hlsTime=2, hlsListSize=15, hlsflags=delete_segments+program_date_time, deleteHLSFilesOnEnded=true: a window that slides, nothing is left
    exec gst-launch-1.0 -e $SOURCE ! amshlssink target-duration="$TIME" playlist-type=live playlist-length="$LIST" max-files="$((LIST + 1))" delete-on-ended=true location="$STREAMS/$STREAM%09d.ts" playlist-location="$STREAMS/$STREAM.m3u8" ;;

  time) # hlsTime=2: how long segments are; there the shortest time, here the longest
    exec gst-launch-1.0 -e $SOURCE ! amshlssink target-duration="$TIME" location="$STREAMS/$STREAM%09d.ts" playlist-location="$STREAMS/$STREAM.m3u8" ;;

  list-size) # hlsListSize=15: so many are listed, all are kept
    exec gst-launch-1.0 -e $SOURCE ! amshlssink target-duration="$TIME" playlist-type=live playlist-length="$LIST" location="$STREAMS/$STREAM%09d.ts" playlist-location="$STREAMS/$STREAM.m3u8" ;;

  delete-segments) # hlsflags=+delete_segments: files that have left the playlist are deleted, when every player has had time to fetch them
    exec gst-launch-1.0 -e $SOURCE ! amshlssink target-duration="$TIME" playlist-type=live playlist-length="$LIST" max-files="$((LIST + 1))" location="$STREAMS/$STREAM%09d.ts" playlist-location="$STREAMS/$STREAM.m3u8" ;;

  vod) # hlsPlayListType=vod: the playlist appears, whole, when the recording has ended
    exec gst-launch-1.0 -e $SOURCE ! amshlssink target-duration="$TIME" playlist-type=vod location="$STREAMS/$STREAM%09d.ts" playlist-location="$STREAMS/$STREAM.m3u8" ;;

  program-date-time) # hlsflags=+program_date_time: each segment has its date (the default)
    exec gst-launch-1.0 -e $SOURCE ! amshlssink target-duration="$TIME" program-date-time=true location="$STREAMS/$STREAM%09d.ts" playlist-location="$STREAMS/$STREAM.m3u8" ;;

  no-date-time) # hlsflags without program_date_time
    exec gst-launch-1.0 -e $SOURCE ! amshlssink target-duration="$TIME" program-date-time=false location="$STREAMS/$STREAM%09d.ts" playlist-location="$STREAMS/$STREAM.m3u8" ;;

  suffix-number) # hlsSegmentFileSuffixFormat=%05d
    exec gst-launch-1.0 -e $SOURCE ! amshlssink target-duration="$TIME" location="$STREAMS/$STREAM%05d.ts" playlist-location="$STREAMS/$STREAM.m3u8" ;;

  suffix-time) # hlsSegmentFileSuffixFormat=%Y%m%d-%s, here with the milliseconds that tell two segments of one second apart
    exec gst-launch-1.0 -e $SOURCE ! amshlssink target-duration="$TIME" location="$STREAMS/$STREAM{segment:%Y%m%d-%s.%L}.ts" playlist-location="$STREAMS/$STREAM.m3u8" ;;

  delete-on-ended) # deleteHLSFilesOnEnded=true: what this run wrote is deleted when it has ended, nothing else
    exec gst-launch-1.0 -e $SOURCE ! amshlssink target-duration="$TIME" delete-on-ended=true location="$STREAMS/$STREAM%09d.ts" playlist-location="$STREAMS/$STREAM.m3u8" ;;

  file-name-format) # fileNameFormat=%r%b: the rendition in the names, {streamId}_360p800kbps%09d.ts
    exec gst-launch-1.0 -e $SOURCE ! amshlssink target-duration="$TIME" location="$STREAMS/${STREAM}_360p800kbps%09d.ts" playlist-location="$STREAMS/${STREAM}_360p800kbps.m3u8" ;;

  file-name-date) # fileNameFormat=%r%b with addDateTimeToHlsFileName=true: {streamId}-yyyy-MM-dd_HH-mm-ss.SSS_360p800kbps%09d.ts
    exec gst-launch-1.0 -e $SOURCE ! amshlssink target-duration="$TIME" location="$STREAMS/$STREAM-{session:%Y-%m-%d_%H-%M-%S.%L}_360p800kbps%09d.ts" playlist-location="$STREAMS/$STREAM-{session:%Y-%m-%d_%H-%M-%S.%L}_360p800kbps.m3u8" ;;

  sub-folder) # subFolder=cameras/%s: folders, which are made
    exec gst-launch-1.0 -e $SOURCE ! amshlssink target-duration="$TIME" location="$STREAMS/cameras/$STREAM/$STREAM%09d.ts" playlist-location="$STREAMS/cameras/$STREAM/$STREAM.m3u8" ;;

  s3-objects) # s3Permission=public-read, s3StorageClass=STANDARD, s3CacheControl=no-store, s3PathStyleAccessEnabled=true: each sent only if set
    exec gst-launch-1.0 -e $SOURCE ! amshlssink target-duration="$TIME" location="$STREAM%09d.ts" playlist-location="$STREAM.m3u8" ! amss3put endpoint="$S3" region="$REGION" bucket="$BUCKET" key-prefix=streams/ addressing=path acl=public-read storage-class=STANDARD segment-cache-control=no-store playlist-cache-control=no-store spool-dir="$SPOOL/$STREAM" ;;

  --list)
    list ;;
  -h|--help)
    usage
    list ;;
  *)
    echo "record.sh: there is no set-up '$1'; 'record.sh --list' shows which there are." >&2
    exit 2 ;;
esac
