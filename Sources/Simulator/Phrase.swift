/// A sentence with slots, in bytes that fit into a JSON string unescaped.
struct Phrase: Sendable {
    private enum Part: Sendable {
        case text([UInt8])
        case slot(Int)
    }

    private let parts: [Part]

    /// Reads `I leave {city} on {day}.`; an unknown slot or a character that JSON escapes is a fault of the script.
    init(_ text: some StringProtocol) {
        precondition(text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x22 && $0 != 0x5C }, "a phrase needs no escaping")
        var parts: [Part] = []
        for (index, piece) in text.split(separator: "{", omittingEmptySubsequences: false).enumerated() {
            let halves =
                index == 0 ? [piece] : piece.split(separator: "}", maxSplits: 1, omittingEmptySubsequences: false)
            if halves.count == 2 {
                guard let slot = Slot.allCases.firstIndex(where: { $0.rawValue == halves[0] }) else {
                    preconditionFailure("no slot has the name \(halves[0])")
                }
                parts.append(.slot(slot))
            }
            if let last = halves.last, !last.isEmpty { parts.append(.text(Array(last.utf8))) }
        }
        self.parts = parts
    }

    /// Appends the sentence, each slot filled with the value at its index.
    func append(to bytes: inout [UInt8], filling slots: [[UInt8]]) {
        for part in parts {
            switch part {
            case .text(let text): bytes.append(contentsOf: text)
            case .slot(let index): bytes.append(contentsOf: slots[index])
            }
        }
    }
}
