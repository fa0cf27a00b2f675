public import FoundationEssentials

/// The name of an object, such as `users/0190…/documents/7.pdf`: the same on every store, safe in paths and URLs.
public struct ObjectName: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The name.
    public let description: String

    /// The suffix of an object's file in a directory; no part of a name ends with it.
    static let fileSuffix = ".object"

    /// - Parameter text: Parts of ASCII letters, digits, `-`, `_` and `.`, separated by `/`; together 1 … 512 bytes.
    /// - Throws: ``CacheError`` with `.invalidArgument`.
    public init(_ text: String) throws(CacheError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let isSound = parts.allSatisfy { part in
            !part.isEmpty && part.utf8.count <= 200 && part.first != "." && !part.hasSuffix(Self.fileSuffix)
                && part.utf8.allSatisfy(Self.isAllowed)
        }
        guard isSound, text.utf8.count <= 512 else {
            throw CacheError(
                .invalidArgument,
                "an object's name has parts separated by '/', each of 1 to 200 ASCII letters, digits, '-', '_' and '.', "
                    + "none beginning with '.' or ending with '\(Self.fileSuffix)'; 512 bytes at most together"
            )
        }
        description = text
    }

    /// The name of a user's object, which is removed when they are erased, and handed out when their data is exported.
    ///
    /// Names made by hand need the user's id in lower case. Names with the id in capitals, as Foundation writes a UUID,
    /// are found as well, but only this function keeps an id to one folder.
    ///
    /// - Parameter path: What follows the user's folder, such as `voice.wav`.
    /// - Throws: ``CacheError`` with `.invalidArgument`.
    public static func user(_ user: UUID, _ path: String) throws(CacheError) -> ObjectName {
        try ObjectName(folder(of: user) + path)
    }

    /// The prefix of the names of a user's objects, `users/ID/`, for ``ObjectStore/removeAll(prefix:)``.
    public static func folder(of user: UUID) -> String { "users/\(user.uuidString.lowercased())/" }

    /// The same prefix with the UUID in capitals, as Foundation writes it.
    package static func capitalFolder(of user: UUID) -> String { "users/\(user.uuidString)/" }

    /// Takes a name that another program gave, without checks.
    init(unchecked text: String) { description = text }

    /// A unique name for what is to become this object: in the same folder, but not listed as an object.
    var provisional: ObjectName {
        let folder = description.lastIndex(of: "/").map { description[...$0] } ?? ""
        return ObjectName(unchecked: "\(folder).\(description.dropFirst(folder.count)).\(UUID().uuidString)")
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
        default: false
        }
    }

    /// Orders names by their bytes, as object stores list them.
    public static func < (left: Self, right: Self) -> Bool {
        left.description.utf8.lexicographicallyPrecedes(right.description.utf8)
    }
}
