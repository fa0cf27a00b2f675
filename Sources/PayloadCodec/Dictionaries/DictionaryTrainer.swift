package import FoundationEssentials

/// A payload to train on.
package struct DictionarySample: Hashable, Sendable {
    /// Data and metadata, one after the other.
    package let payload: [UInt8]
    /// Its event's id; `nil` if that is not known.
    package let event: UUID?

    package init(payload: [UInt8], event: UUID? = nil) {
        self.payload = payload
        self.event = event
    }

    /// The text that LZ4 would compress.
    fileprivate var text: [UInt8] { PackedText.text(of: payload, event: event?.prefix) }
}

/// The result of a training.
package struct TrainedDictionary: Hashable, Sendable {
    /// The dictionary's content: give it an id with ``PayloadDictionary/init(id:bytes:checksum:)``.
    package let bytes: [UInt8]
    /// How many samples it was made from.
    package let trainedOn: Int
    /// How many samples were held out to test it.
    package let heldOut: Int
    /// Size of the held-out samples' frames with this dictionary, divided by their raw size.
    package let heldOutRatio: Double
    /// The same without any dictionary.
    package let heldOutRatioWithoutDictionary: Double
}

/// Makes dictionaries from samples of payloads; the same samples in the same order always give the same dictionary.
///
/// Picks segments as the COVER algorithm does (Liao, Petri, Moffat, Wirth: "Effective construction of relative
/// Lempel-Ziv dictionaries", 2016): a segment's worth is the number of samples that share its sequences of eight bytes,
/// counted once a dictionary. The best segments come last, where LZ4 keeps them in its table.
package struct DictionaryTrainer: Sendable {
    /// The dictionary's size in bytes, at most.
    package let size: Int

    /// The segment lengths to try; the best one depends on how long the repeated passages are.
    private static let segmentLengths = [64, 128, 256, 512]
    /// One sample in this many is held out.
    private static let heldOutPart = 10
    /// The fewest samples that can be divided into training and held-out ones.
    private static let fewestSamples = 20

    /// Creates a trainer.
    ///
    /// - Parameter size: The dictionary's size in bytes at most: 256 … 65,536.
    package init(size: Int = PayloadDictionary.sizeLimit) {
        precondition((256...PayloadDictionary.sizeLimit).contains(size), "a dictionary has 256 to 65,536 bytes")
        self.size = size
    }

    /// Makes a dictionary.
    ///
    /// - Parameter samples: 1,000 to 10,000 payloads, evenly picked and in the log's order. The last tenth is held out,
    ///   so it comes from other sessions than those trained on.
    /// - Returns: The best of the dictionaries tried, by its ratio on the held-out samples.
    /// - Throws: ``PayloadCodecError`` with code `.tooFewSamples` if there are fewer than 20 or they hold nothing that
    ///   repeats, `.tooLarge` if one exceeds the limit of an event.
    package func train(_ samples: [DictionarySample]) throws(PayloadCodecError) -> TrainedDictionary {
        guard samples.count >= Self.fewestSamples else {
            throw PayloadCodecError(
                .tooFewSamples,
                "a dictionary needs at least \(Self.fewestSamples) samples, better 10,000; there are \(samples.count)"
            )
        }
        let boundary = samples.count - samples.count / Self.heldOutPart
        let trained = samples[..<boundary]
        let heldOut = samples[boundary...]
        var best: (bytes: [UInt8], ratio: Double)?
        let corpus = DictionaryCorpus(trained.map(\.text)[...])
        for length in Self.segmentLengths {
            let bytes = corpus.dictionary(size: size, segmentLength: length)
            guard !bytes.isEmpty else { continue }
            let ratio = try Self.ratio(of: heldOut, with: PayloadDictionary(id: 1, bytes: bytes))
            if ratio < best?.ratio ?? .infinity { best = (bytes, ratio) }
        }
        let without = try Self.ratio(of: heldOut, with: nil)
        guard let best, best.ratio < without else {
            throw PayloadCodecError(.tooFewSamples, "the samples share nothing that a dictionary could hold")
        }
        return TrainedDictionary(
            bytes: best.bytes,
            trainedOn: trained.count,
            heldOut: heldOut.count,
            heldOutRatio: best.ratio,
            heldOutRatioWithoutDictionary: without
        )
    }

    /// Size of the samples' frames divided by their raw size.
    private static func ratio(
        of samples: ArraySlice<DictionarySample>,
        with dictionary: PayloadDictionary?
    ) throws(PayloadCodecError) -> Double {
        let encoder = PayloadEncoder(dictionary: dictionary)
        var frames: [UInt8] = []
        var raw = 0
        for sample in samples {
            try encoder.encode(data: sample.payload, metadata: [], of: sample.event, into: &frames)
            raw += sample.payload.count
        }
        return Double(frames.count) / Double(max(raw, 1))
    }
}
