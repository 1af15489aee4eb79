"""The 2026-07-28 era: clients without sessions, handles, listen streams and announcements."""
