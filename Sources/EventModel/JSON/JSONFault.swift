/// Why bytes are not JSON that the recorder accepts, and where.
package struct JSONFault: Error, Hashable, Sendable {
    /// The kinds of fault; the raw value is for logs, ``text`` for people.
    package enum Reason: String, Sendable {
        /// The text ends inside a value.
        case unexpectedEnd
        /// A character that is not allowed where it is.
        case unexpectedCharacter
        /// Something follows the value.
        case trailingCharacters
        /// A value that must be an object is not.
        case notAnObject
        /// A control character below U+0020 in a string.
        case controlCharacter
        /// A backslash before a character that must not follow it.
        case badEscape
        /// `\u0000` in a string.
        case nulCharacter
        /// Half of a surrogate pair.
        case loneSurrogate
        /// Bytes that are not UTF-8 (RFC 3629), including overlong forms and surrogates.
        case invalidUTF8
        /// A number in a form that JSON does not have.
        case badNumber
        /// A number that is not finite as a 64-bit floating-point number.
        case notFinite
        /// A number with more than ``JSONScanner/mostDecimals`` digits after the point.
        case tooFine
        /// More than ``JSONScanner/deepest`` nested arrays and objects.
        case tooDeep
    }

    /// The kind of fault.
    package let reason: Reason
    /// The offset of the faulty byte in the bytes that were scanned.
    package let offset: Int

    package init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    /// Whether the bytes are not JSON at all, rather than JSON that the contract refuses.
    package var isSyntax: Bool {
        switch reason {
        case .nulCharacter, .loneSurrogate, .notFinite, .tooFine, .tooDeep, .notAnObject: false
        default: true
        }
    }

    /// The error for a field whose value has this fault.
    func refusal(field: String) -> EventModelError {
        EventModelError(isSyntax ? .notJSON : .invalidField, field: field, text)
    }

    /// The fault in words: what is wrong, where, and what to do.
    package var text: String { isSyntax ? "\(reason.text) (byte \(offset + 1))" : reason.text }
}

extension JSONFault.Reason {
    /// The reason in words.
    package var text: String {
        switch self {
        case .unexpectedEnd: "not JSON: it ends in the middle of a value"
        case .unexpectedCharacter: "not JSON: a character stands where it cannot"
        case .trailingCharacters: "not JSON: something follows the end of the value; give one event a line"
        case .notAnObject: "it is not a JSON object; put it in { }"
        case .controlCharacter: "not JSON: a string holds a control character; escape it as \\u00XX"
        case .badEscape: "not JSON: a string holds a backslash that escapes nothing"
        case .nulCharacter: "a string holds \\u0000, which PostgreSQL cannot store; remove it"
        case .loneSurrogate: "a string holds half of a surrogate pair (\\uD800 to \\uDFFF); send both halves or neither"
        case .invalidUTF8: "not JSON: it holds bytes that are not UTF-8; encode the text as UTF-8"
        case .badNumber: "not JSON: a number has a form that JSON does not allow"
        case .notFinite: "a number is too large to be finite as a 64-bit float; send it as a string"
        case .tooFine:
            "a number has more than \(JSONScanner.mostDecimals) digits behind the point, more than PostgreSQL stores; "
                + "round it, or send it as a string"
        case .tooDeep: "arrays and objects are nested deeper than \(JSONScanner.deepest); flatten them"
        }
    }
}
