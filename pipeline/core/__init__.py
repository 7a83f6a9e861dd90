"""Values and pure geometry: no files, no DICOM, nothing else of ours."""
