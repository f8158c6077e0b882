# SPDX-License-Identifier: Apache-2.0
# The walk of level 1 tables as one would write it with numpy, table by table. Prints nanoseconds of the best run, and the
# number of extents.  vtd-numpy.py IMAGE OFFSET FIRST_FRAME ROOT RUNS   (second stage, four levels)
import mmap
import sys
import time

import numpy

path, offset, first, root, runs = sys.argv[1], *(int(word, 0) for word in sys.argv[2:])
ADDRESS = numpy.uint64(0x000FFFFFFFFFF000)
file = open(path, "rb")
image = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)


def table(frame):
    return numpy.frombuffer(image, numpy.uint64, 512, offset + (int(frame) - first) * 4096)


def tables_below(frame):
    entries = table(frame)
    index = numpy.flatnonzero(entries & numpy.uint64(3))
    return index, (entries[index] & ADDRESS) >> numpy.uint64(12)


def leaves(entries, iova, extents):
    index = numpy.flatnonzero(entries & numpy.uint64(3))
    there = entries[index]
    frames = (there & ADDRESS) >> numpy.uint64(12)
    bits = there & numpy.uint64(0xB07)
    ends = (
        (numpy.diff(index) != 1) | (numpy.diff(frames.view(numpy.int64)) != 1) | (numpy.diff(bits.view(numpy.int64)) != 0)
    )
    starts = numpy.concatenate(([0], numpy.flatnonzero(ends) + 1))
    lengths = numpy.diff(numpy.concatenate((starts, [len(index)])))
    for at, length in zip(starts.tolist(), lengths.tolist()):
        row = [iova + int(index[at]), int(frames[at]), length, int(bits[at])]
        last = extents[-1] if extents else None
        if last and last[0] + last[2] == row[0] and last[1] + last[2] == row[1] and last[3] == row[3]:
            last[2] += length
        else:
            extents.append(row)


best = None
for run in range(runs):
    start = time.perf_counter_ns()
    extents = []
    for i4, f4 in zip(*tables_below(root >> 12)):
        for i3, f3 in zip(*tables_below(f4)):
            for i2, f2 in zip(*tables_below(f3)):
                leaves(table(f2), (int(i4) << 27) | (int(i3) << 18) | (int(i2) << 9), extents)
    took = time.perf_counter_ns() - start
    best = took if best is None else min(best, took)
print(best, len(extents))
