"""Any capture an engineer brings, as TCP segments; what is left out is counted and told.

the file        unpacked.py: gzip, zstd · capture_stream.py: frames one by one, whatever is broken
a frame         link_headers.py: where its IP packet begins · lenient_headers.py: IP and TCP, also where snapped or
offloaded · reassembly.py: fragments
a segment       seen_segment.py: what a capture shows of it · seen_twice.py: copies of one packet
all of it       capture_reading.py: segments in order, and what the capture lacks
"""
