/* amshls: HLS recording for GStreamer
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "amsrecordingtypes.h"

AmsRecordingConfig *
ams_recording_config_new (void)
{
  return g_new0 (AmsRecordingConfig, 1);
}

void
ams_recording_config_free (AmsRecordingConfig *config)
{
  g_free (config->location);
  g_free (config->playlist_location);
  g_free (config->playlist_root);
  g_clear_pointer (&config->zone, g_time_zone_unref);
  g_free (config);
}

void
ams_recording_segment_free (AmsRecordingSegment *segment)
{
  g_free (segment->name);
  g_free (segment);
}

AmsJournalSegment *
ams_recording_segment_note (const AmsRecordingSegment *segment)
{
  AmsJournalSegment *line = ams_journal_segment_new (segment->name);

  line->number = segment->number;
  line->date_time = segment->date_time;
  line->duration = segment->duration;
  line->discontinuity = segment->discontinuity;
  return line;
}

void
ams_recording_version_clear (AmsRecordingVersion *version)
{
  g_clear_pointer (&version->name, g_free);
  g_clear_pointer (&version->pieces, g_ptr_array_unref);
  g_clear_pointer (&version->failed, g_strfreev);
  g_clear_pointer (&version->renamed, g_strfreev);
}
