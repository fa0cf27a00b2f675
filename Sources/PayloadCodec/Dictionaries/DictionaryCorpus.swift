/// The samples of a training, concatenated, with the number of samples that hold each sequence of eight bytes.
struct DictionaryCorpus {
    private static let sequenceLength = 8
    private static let tableBits = 20

    private let bytes: [UInt8]
    /// For each position, the hash of the eight bytes that begin there; -1 where a sample ends before them.
    private let hashes: [Int32]
    /// For each hash, how many samples hold it.
    private let counts: [UInt32]

    /// A piece of the corpus that may become part of the dictionary.
    private struct Segment {
        var range: Range<Int>
        var score: Int
    }

    /// Counts the samples' sequences.
    init(_ samples: ArraySlice<[UInt8]>) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(samples.reduce(0) { $0 + $1.count })
        for sample in samples { bytes += sample }
        var hashes = [Int32](repeating: -1, count: bytes.count)
        var counts = [UInt32](repeating: 0, count: 1 << Self.tableBits)
        var lastSample = [Int32](repeating: -1, count: 1 << Self.tableBits)
        var start = 0
        for (number, sample) in samples.enumerated() {
            var window: UInt64 = 0
            for offset in sample.indices {
                window = window << 8 | UInt64(sample[offset])
                guard offset >= Self.sequenceLength - 1 else { continue }
                let hash = Int((window &* 0x9E37_79B9_7F4A_7C15) >> UInt64(64 - Self.tableBits))
                hashes[start + offset - Self.sequenceLength + 1] = Int32(hash)
                if lastSample[hash] != Int32(number) {
                    lastSample[hash] = Int32(number)
                    counts[hash] += 1
                }
            }
            start += sample.count
        }
        // A sequence in only one sample helps no other.
        for hash in counts.indices where counts[hash] == 1 { counts[hash] = 0 }
        self.bytes = bytes
        self.hashes = hashes
        self.counts = counts
    }

    /// Picks segments until the dictionary is full or nothing that repeats is left.
    ///
    /// The corpus is divided into epochs according to the room for segments, so that all of it contributes; each epoch
    /// in turn gives its best segment, round after round until none has any left.
    ///
    /// - Parameters:
    ///   - size: The dictionary's size in bytes, at most.
    ///   - segmentLength: The longest segment.
    /// - Returns: The segments concatenated, the best one last.
    func dictionary(size: Int, segmentLength: Int) -> [UInt8] {
        var left = counts
        var active = [UInt16](repeating: 0, count: left.count)
        let epochs = max(1, min(size / segmentLength / 4, bytes.count / (segmentLength * 4)))
        let epochLength = max(bytes.count / epochs, 1)
        var chosen: [Segment] = []
        var room = size
        var barren = 0
        var epoch = 0
        while room >= Self.sequenceLength, barren < epochs {
            let start = epoch * epochLength
            let end = epoch == epochs - 1 ? bytes.count : start + epochLength
            epoch = (epoch + 1) % epochs
            let length = min(segmentLength, room)
            guard let segment = best(in: start..<end, length: length, counts: left, active: &active) else {
                barren += 1
                continue
            }
            barren = 0
            for position in segment.range where hashes[position] >= 0 { left[Int(hashes[position])] = 0 }
            chosen.append(segment)
            room -= segment.range.count
        }
        // Swift does not promise a stable sort, so equal scores are ordered by position.
        chosen.sort { ($0.score, $1.range.lowerBound) < ($1.score, $0.range.lowerBound) }
        return chosen.flatMap { bytes[$0.range] }
    }

    /// The epoch's segment whose sequences occur in the most samples, trimmed to what is shared.
    private func best(
        in epoch: Range<Int>,
        length: Int,
        counts: [UInt32],
        active: inout [UInt16]
    ) -> Segment? {
        let window = length - Self.sequenceLength + 1
        var score = 0
        var best = Segment(range: 0..<0, score: 0)
        var tail = epoch.lowerBound
        for head in epoch {
            let hash = Int(hashes[head])
            if hash >= 0 {
                if active[hash] == 0 { score += Int(counts[hash]) }
                active[hash] += 1
            }
            if head - tail >= window {
                leave(tail, counts: counts, active: &active, score: &score)
                tail += 1
            }
            if score > best.score { best = Segment(range: tail..<(head + 1), score: score) }
        }
        while tail < epoch.upperBound {
            leave(tail, counts: counts, active: &active, score: &score)
            tail += 1
        }
        return trimmed(best, counts: counts)
    }

    private func leave(_ position: Int, counts: [UInt32], active: inout [UInt16], score: inout Int) {
        let hash = Int(hashes[position])
        guard hash >= 0 else { return }
        active[hash] -= 1
        if active[hash] == 0 { score -= Int(counts[hash]) }
    }

    /// Trims worthless positions at both ends, and extends the segment to the end of its last sequence.
    private func trimmed(_ segment: Segment, counts: [UInt32]) -> Segment? {
        let useful = segment.range.filter { hashes[$0] >= 0 && counts[Int(hashes[$0])] > 0 }
        guard let first = useful.first, let last = useful.last else { return nil }
        return Segment(range: first..<(last + Self.sequenceLength), score: segment.score)
    }
}
