extension JSONValue {
    /// Checks what the type cannot ensure: that numbers have JSON's form, and that values are not nested too deep.
    ///
    /// - Parameter depth: How many arrays and objects enclose the value.
    /// - Throws: `JSONFault` with `.badNumber`, `.notFinite`, `.tooFine` or `.tooDeep`.
    func check(depth: Int) throws(JSONFault) {
        switch self {
        case .object(let members):
            guard depth < JSONScanner.deepest else { throw JSONFault(.tooDeep, at: 0) }
            for member in members { try member.value.check(depth: depth + 1) }
        case .array(let elements):
            guard depth < JSONScanner.deepest else { throw JSONFault(.tooDeep, at: 0) }
            for element in elements { try element.check(depth: depth + 1) }
        case .number(let text): try JSONValue.check(number: Array(text.utf8))
        case .string, .bool, .null: break
        }
    }

    private static func check(number: [UInt8]) throws(JSONFault) {
        let slice: JSONSlice
        do throws(JSONFault) {
            slice = try JSONScanner.validate(number.span)
        } catch {
            throw [.notFinite, .tooFine].contains(error.reason) ? error : JSONFault(.badNumber, at: 0)
        }
        // White space around a number is not part of it.
        guard slice.kind == .number, slice.range.count == number.count else { throw JSONFault(.badNumber, at: 0) }
    }
}
