/// What a speech recognizer makes of a sentence.
enum Transcript {
    /// The sentence as recognizers without punctuation write it: lower case, marks left out. Bytes beyond ASCII stay.
    static func plain(_ text: [UInt8]) -> [UInt8] {
        text.compactMap { byte in
            switch byte {
            case 0x41...0x5A: byte | 0x20
            case 0x2C, 0x2E, 0x3F, 0x21: nil
            default: byte
            }
        }
    }

    /// The sentence misheard: a word is left out, said twice, or taken for another one.
    static func misheard(_ text: [UInt8], source: inout SeededSource) -> [UInt8] {
        var words = text.split(separator: 0x20)
        guard !words.isEmpty else { return text }
        let place = source.below(words.count)
        switch source.below(3) {
        case 0 where words.count > 1: words.remove(at: place)
        case 1: words.insert(words[place], at: place)
        default: words[place] = source.pick(mistakes)[...]
        }
        return Array(words.joined(separator: [0x20]))
    }

    /// The length of the part before a space near the middle; 0 if there is none.
    static func half(of text: [UInt8]) -> Int {
        text[..<(text.count / 2)].lastIndex(of: 0x20) ?? 0
    }

    private static let mistakes = ["a", "the", "two", "there", "four", "know", "by", "our", "um", "hour"].map {
        Array($0.utf8)
    }
}
