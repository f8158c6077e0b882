;; SPDX-License-Identifier: Apache-2.0
;; The inner loop of the walk: one level 1 table of 512 entries to rows of extents. leaf-kernel.ts tells how to call it;
;; `npm run build` compiles it to leaf-kernel-bytes.ts.
;;
;; What an entry means comes from two tables of u16 that leaf-kernel.ts fills from the declared format: one indexed by
;; bits 11:0 of the entry, one by bits 63:52. Their AND is the extent's bits (13:0), 0x4000 if the entry is present, and
;; 0x8000 if nothing is wrong with it. Bits 51:12 are the frame.
(module
  (memory (export "memory") 2)

  ;; Where things lie in memory.
  (global (export "entries") i32 (i32.const 0x1000))
  (global (export "lowMeaning") i32 (i32.const 0x2000))
  (global (export "highMeaning") i32 (i32.const 0x4000))
  (global (export "iovaFrame") i32 (i32.const 0x6000))
  (global (export "frame") i32 (i32.const 0xe000))
  (global (export "frames") i32 (i32.const 0x16000))
  (global (export "bits") i32 (i32.const 0x1e000))
  (global (export "rowRoom") i32 (i32.const 4096))

  ;; Eight times the number of rows. The last row is open: what comes next may continue it.
  (global $rows (mut i32) (i32.const 0))
  ;; Where the open row ends, and its bits. No IOVA is negative: nothing continues a row that is not there.
  (global $endIova (mut f64) (f64.const -1))
  (global $endFrame (mut f64) (f64.const -1))
  (global $open (mut i32) (i32.const 0))
  (global $leaves (mut i64) (i64.const 0))
  ;; Extents, however rows join them.
  (global $extents (mut i64) (i64.const 0))
  ;; 1 if rows go on wherever the next IOVA leads.
  (global $join (mut i32) (i32.const 0))
  ;; Address bits that the platform does not have.
  (global $beyond (mut i64) (i64.const 0))

  ;; Forgets all rows and counts.
  (func (export "reset") (param $beyond i64)
    (global.set $rows (i32.const 0))
    (global.set $endIova (f64.const -1))
    (global.set $endFrame (f64.const -1))
    (global.set $leaves (i64.const 0))
    (global.set $extents (i64.const 0))
    (global.set $join (i32.const 0))
    (global.set $beyond (local.get $beyond)))

  ;; From here on extents of the same bits whose IOVAs go on are one row, wherever they lead.
  (func (export "joinFrames")
    (global.set $join (i32.const 1)))

  ;; Level 1 leaves since the reset.
  (func (export "leaves") (result f64)
    (f64.convert_i64_u (global.get $leaves)))

  ;; Extents since the reset.
  (func (export "extents") (result f64)
    (f64.convert_i64_u (global.get $extents)))

  ;; Forgets all rows but the last one, which is row 0 then.
  (func (export "keepLast")
    (local $last i32)
    (if (i32.eqz (global.get $rows)) (then return))
    (local.set $last (i32.sub (global.get $rows) (i32.const 8)))
    (f64.store offset=0x6000 (i32.const 0) (f64.load offset=0x6000 (local.get $last)))
    (f64.store offset=0xe000 (i32.const 0) (f64.load offset=0xe000 (local.get $last)))
    (f64.store offset=0x16000 (i32.const 0) (f64.load offset=0x16000 (local.get $last)))
    (i32.store16 offset=0x1e000 (i32.const 0)
      (i32.load16_u offset=0x1e000 (i32.shr_u (local.get $last) (i32.const 2))))
    (global.set $rows (i32.const 8)))

  ;; One mapping. Returns the number of rows.
  (func $map (export "map") (param $iova f64) (param $frame f64) (param $count f64) (param $bits i32) (result i32)
    (local $row i32) (local $goesOn i32) (local $same i32)
    (local.set $row (global.get $rows))
    (local.set $goesOn (i32.and
      (f64.eq (local.get $iova) (global.get $endIova))
      (i32.eq (local.get $bits) (global.get $open))))
    (local.set $same (i32.and (local.get $goesOn) (f64.eq (local.get $frame) (global.get $endFrame))))
    (global.set $extents (i64.add (global.get $extents) (i64.extend_i32_u (i32.eqz (local.get $same)))))
    (if (i32.or (local.get $same) (i32.and (local.get $goesOn) (global.get $join)))
      (then
        (f64.store offset=0x15ff8 (local.get $row)
          (f64.add (f64.load offset=0x15ff8 (local.get $row)) (local.get $count))))
      (else
        (f64.store offset=0x6000 (local.get $row) (local.get $iova))
        (f64.store offset=0xe000 (local.get $row) (local.get $frame))
        (f64.store offset=0x16000 (local.get $row) (local.get $count))
        (i32.store16 offset=0x1e000 (i32.shr_u (local.get $row) (i32.const 2)) (local.get $bits))
        (global.set $open (local.get $bits))
        (global.set $rows (local.tee $row (i32.add (local.get $row) (i32.const 8))))))
    (global.set $endIova (f64.add (local.get $iova) (local.get $count)))
    (global.set $endFrame (f64.add (local.get $frame) (local.get $count)))
    (i32.shr_u (local.get $row) (i32.const 3)))

  ;; Entries [first, last) of the table at `entries`. `iova` is the IOVA frame of entry 0, `path` what the tables above
  ;; leave of the meanings. Returns the number of rows, and bit 31 if something is wrong with an entry. There must be room
  ;; for 512 more rows.
  (func (export "table") (param $iova f64) (param $path i32) (param $first i32) (param $last i32) (result i32)
    (local $at i32) (local $end i32) (local $row i32) (local $wrong i32)
    (local $entry i64) (local $final i64) (local $bits i32)
    (local $to i32) (local $count i32) (local $start f64) (local $target f64)
    (local $endIova f64) (local $endFrame f64) (local $open i32) (local $leaves i32)
    (local $goesOn i32) (local $same i32) (local $extents i32)
    (local $next v128) (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local.set $at (i32.add (i32.const 0x1000) (i32.shl (local.get $first) (i32.const 3))))
    (local.set $end (i32.add (i32.const 0x1000) (i32.shl (local.get $last) (i32.const 3))))
    (local.set $row (global.get $rows))
    (local.set $endIova (global.get $endIova))
    (local.set $endFrame (global.get $endFrame))
    (local.set $open (global.get $open))

    (block $done
      (loop $entries
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $entry (i64.load (local.get $at)))
        (if (i64.eqz (local.get $entry))
          (then
            (local.set $at (i32.add (local.get $at) (i32.const 8)))
            (br $entries)))
        (local.set $bits (i32.and (local.get $path) (i32.and
          (i32.load16_u offset=0x2000
            (i32.shl (i32.and (i32.wrap_i64 (local.get $entry)) (i32.const 0xfff)) (i32.const 1)))
          (i32.load16_u offset=0x4000
            (i32.shl (i32.wrap_i64 (i64.shr_u (local.get $entry) (i64.const 52))) (i32.const 1))))))
        (local.set $wrong (i32.or (local.get $wrong) (i32.xor (local.get $bits) (i32.const 0x8000))))
        (if (i32.eqz (i32.and (local.get $bits) (i32.const 0x4000)))
          (then
            (local.set $at (i32.add (local.get $at) (i32.const 8)))
            (br $entries)))
        (local.set $bits (i32.and (local.get $bits) (i32.const 0x3fff)))

        ;; How far entries go on in steps of 4096, which says that they have the same bits: eight at a time. This may look
        ;; at up to 64 bytes behind the table.
        (local.set $to (i32.add (local.get $at) (i32.const 8)))
        (local.set $next (i64x2.add (i64x2.splat (local.get $entry)) (v128.const i64x2 0x1000 0x2000)))
        (block $run
          (loop $eight
            (br_if $run (i32.ge_u (local.get $to) (local.get $end)))
            (local.set $a (i64x2.eq (v128.load (local.get $to)) (local.get $next)))
            (local.set $b (i64x2.eq (v128.load offset=16 (local.get $to))
              (i64x2.add (local.get $next) (v128.const i64x2 0x2000 0x2000))))
            (local.set $c (i64x2.eq (v128.load offset=32 (local.get $to))
              (i64x2.add (local.get $next) (v128.const i64x2 0x4000 0x4000))))
            (local.set $d (i64x2.eq (v128.load offset=48 (local.get $to))
              (i64x2.add (local.get $next) (v128.const i64x2 0x6000 0x6000))))
            (if (i64x2.all_true (v128.and
                  (v128.and (local.get $a) (local.get $b))
                  (v128.and (local.get $c) (local.get $d))))
              (then
                (local.set $next (i64x2.add (local.get $next) (v128.const i64x2 0x8000 0x8000)))
                (local.set $to (i32.add (local.get $to) (i32.const 64)))
                (br $eight)))
            (local.set $to (i32.add (local.get $to) (i32.shl (i32.ctz (i32.xor (i32.const -1) (i32.or
              (i32.or
                (i64x2.bitmask (local.get $a))
                (i32.shl (i64x2.bitmask (local.get $b)) (i32.const 2)))
              (i32.or
                (i32.shl (i64x2.bitmask (local.get $c)) (i32.const 4))
                (i32.shl (i64x2.bitmask (local.get $d)) (i32.const 6))))))
              (i32.const 3))))))
        (if (i32.gt_u (local.get $to) (local.get $end)) (then (local.set $to (local.get $end))))
        (local.set $count (i32.shr_u (i32.sub (local.get $to) (local.get $at)) (i32.const 3)))
        (local.set $final (i64.add (local.get $entry)
          (i64.shl (i64.extend_i32_u (i32.sub (local.get $count) (i32.const 1))) (i64.const 12))))
        ;; A carry out of the frame number is no continuation.
        (if (i64.ne (i64.const 0)
              (i64.shr_u (i64.xor (local.get $entry) (local.get $final)) (i64.const 52)))
          (then
            (local.set $to (i32.add (local.get $at) (i32.const 8)))
            (local.set $count (i32.const 1))
            (local.set $final (local.get $entry))))
        ;; Frames ascend: the last one is the highest.
        (if (i64.ne (i64.const 0) (i64.and (local.get $final) (global.get $beyond)))
          (then (local.set $wrong (i32.const 0x8000))))

        (local.set $start (f64.add (local.get $iova) (f64.convert_i32_u
          (i32.shr_u (i32.sub (local.get $at) (i32.const 0x1000)) (i32.const 3)))))
        (local.set $target (f64.convert_i64_s (i64.and
          (i64.shr_u (local.get $entry) (i64.const 12)) (i64.const 0xffffffffff))))
        (local.set $goesOn (i32.and
          (f64.eq (local.get $start) (local.get $endIova))
          (i32.eq (local.get $bits) (local.get $open))))
        (local.set $same (i32.and (local.get $goesOn) (f64.eq (local.get $target) (local.get $endFrame))))
        (local.set $extents (i32.add (local.get $extents) (i32.eqz (local.get $same))))
        (if (i32.or (local.get $same) (i32.and (local.get $goesOn) (global.get $join)))
          (then
            (f64.store offset=0x15ff8 (local.get $row) (f64.add
              (f64.load offset=0x15ff8 (local.get $row)) (f64.convert_i32_u (local.get $count)))))
          (else
            (f64.store offset=0x6000 (local.get $row) (local.get $start))
            (f64.store offset=0xe000 (local.get $row) (local.get $target))
            (f64.store offset=0x16000 (local.get $row) (f64.convert_i32_u (local.get $count)))
            (i32.store16 offset=0x1e000 (i32.shr_u (local.get $row) (i32.const 2)) (local.get $bits))
            (local.set $row (i32.add (local.get $row) (i32.const 8)))
            (local.set $open (local.get $bits))))
        (local.set $endIova (f64.add (local.get $start) (f64.convert_i32_u (local.get $count))))
        (local.set $endFrame (f64.add (local.get $target) (f64.convert_i32_u (local.get $count))))
        (local.set $leaves (i32.add (local.get $leaves) (local.get $count)))
        (local.set $at (local.get $to))

        ;; After an entry that stands alone: eight more at a time that all stand alone and have the same bits are eight
        ;; rows, or eight pages more of the last row.
        (br_if $entries (i32.ne (local.get $count) (i32.const 1)))
        (loop $alone
          (br_if $entries (i32.gt_u (i32.add (local.get $at) (i32.const 64)) (local.get $end)))
          (local.set $a (v128.load (local.get $at)))
          (local.set $b (v128.load offset=16 (local.get $at)))
          (local.set $c (v128.load offset=32 (local.get $at)))
          (local.set $d (v128.load offset=48 (local.get $at)))
          (local.set $next (i64x2.splat (local.get $entry)))
          (br_if $entries (v128.any_true (v128.or
            (v128.and
              (v128.or
                (v128.or
                  (v128.xor (local.get $a) (local.get $next)) (v128.xor (local.get $b) (local.get $next)))
                (v128.or
                  (v128.xor (local.get $c) (local.get $next)) (v128.xor (local.get $d) (local.get $next))))
              (v128.const i64x2 0xfff0000000000fff 0xfff0000000000fff))
            (v128.and
              (v128.or
                (v128.or (local.get $a) (local.get $b)) (v128.or (local.get $c) (local.get $d)))
              (i64x2.splat (global.get $beyond))))))
          (local.set $next (v128.const i64x2 0x1000 0x1000))
          (br_if $entries (v128.any_true (v128.or
            (v128.or
              (i64x2.eq (local.get $next)
                (i64x2.sub (local.get $a) (v128.load align=8 (i32.sub (local.get $at) (i32.const 8)))))
              (i64x2.eq (local.get $next)
                (i64x2.sub (local.get $b) (v128.load offset=8 align=8 (local.get $at)))))
            (v128.or
              (i64x2.eq (local.get $next)
                (i64x2.sub (local.get $c) (v128.load offset=24 align=8 (local.get $at))))
              (i64x2.eq (local.get $next)
                (i64x2.sub (local.get $d) (v128.load offset=40 align=8 (local.get $at))))))))
          (local.set $d (call $frames (local.get $d)))
          (local.set $endFrame (f64.add (f64x2.extract_lane 1 (local.get $d)) (f64.const 1)))
          (local.set $leaves (i32.add (local.get $leaves) (i32.const 8)))
          (local.set $extents (i32.add (local.get $extents) (i32.const 8)))
          (local.set $at (i32.add (local.get $at) (i32.const 64)))
          (if (global.get $join)
            (then
              (f64.store offset=0x15ff8 (local.get $row) (f64.add
                (f64.load offset=0x15ff8 (local.get $row)) (f64.const 8)))
              (local.set $endIova (f64.add (local.get $endIova) (f64.const 8)))
              (br $alone)))
          (local.set $a (call $frames (local.get $a)))
          (local.set $b (call $frames (local.get $b)))
          (local.set $c (call $frames (local.get $c)))
          (v128.store offset=0xe000 (local.get $row) (local.get $a))
          (v128.store offset=0xe010 (local.get $row) (local.get $b))
          (v128.store offset=0xe020 (local.get $row) (local.get $c))
          (v128.store offset=0xe030 (local.get $row) (local.get $d))
          (local.set $a (f64x2.add (f64x2.splat (local.get $endIova)) (v128.const f64x2 0 1)))
          (v128.store offset=0x6000 (local.get $row) (local.get $a))
          (v128.store offset=0x6010 (local.get $row) (f64x2.add (local.get $a) (v128.const f64x2 2 2)))
          (v128.store offset=0x6020 (local.get $row) (f64x2.add (local.get $a) (v128.const f64x2 4 4)))
          (v128.store offset=0x6030 (local.get $row) (f64x2.add (local.get $a) (v128.const f64x2 6 6)))
          (local.set $endIova (f64.add (local.get $endIova) (f64.const 8)))
          (local.set $a (v128.const f64x2 1 1))
          (v128.store offset=0x16000 (local.get $row) (local.get $a))
          (v128.store offset=0x16010 (local.get $row) (local.get $a))
          (v128.store offset=0x16020 (local.get $row) (local.get $a))
          (v128.store offset=0x16030 (local.get $row) (local.get $a))
          (v128.store offset=0x1e000 align=2 (i32.shr_u (local.get $row) (i32.const 2))
            (i16x8.splat (local.get $bits)))
          (local.set $row (i32.add (local.get $row) (i32.const 64)))
          (br $alone))))

    (global.set $rows (local.get $row))
    (global.set $endIova (local.get $endIova))
    (global.set $endFrame (local.get $endFrame))
    (global.set $open (local.get $open))
    (global.set $leaves (i64.add (global.get $leaves) (i64.extend_i32_u (local.get $leaves))))
    (global.set $extents (i64.add (global.get $extents) (i64.extend_i32_u (local.get $extents))))
    (i32.or
      (i32.shr_u (local.get $row) (i32.const 3))
      (i32.shl (i32.and (local.get $wrong) (i32.const 0x8000)) (i32.const 16))))

  ;; Two entries to their frames: as integers in the mantissa of 2^52, which is taken off.
  (func $frames (param $entries v128) (result v128)
    (f64x2.sub
      (v128.or
        (v128.and (i64x2.shr_u (local.get $entries) (i32.const 12)) (v128.const i64x2 0xffffffffff 0xffffffffff))
        (v128.const i64x2 0x4330000000000000 0x4330000000000000))
      (v128.const f64x2 4503599627370496 4503599627370496))))
