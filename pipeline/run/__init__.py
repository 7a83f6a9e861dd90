"""The way of data as one sentence: case, anatomy, strategy, targets, checks. No files are known here.

`targets` carries a protocol out on a case, `anatomy` finds organs, landmarks, stations and where lesions lie,
`report` says what was made.
"""
