internal import Cache
internal import Crypto
package import EventModel
internal import Foundation

/// What an export holds, and how each of its files can be checked.
package struct ExportManifest: Sendable {
    /// A file of the export.
    package struct Entry: Sendable, Equatable {
        /// Its path from the export's folder.
        package let file: String
        /// The object's name; `nil` for a file of lines.
        package let object: String?
        /// How many lines it has; `nil` for an object.
        package let rows: Int?
        package let bytes: Int
        /// In hexadecimal.
        package let sha256: String
    }

    /// The person.
    package let subject: StreamID
    package let actor: String
    package let exportedAt: Timestamp
    package internal(set) var entries: [Entry] = []

    init(subject: StreamID, actor: String, exportedAt: Timestamp) {
        self.subject = subject
        self.actor = actor
        self.exportedAt = exportedAt
    }

    /// The manifest as one line of JSON.
    package var json: String {
        JSONValue.object([
            .init("subject", .string(subject.description)), .init("actor", .string(actor)),
            .init("exportedAt", .string(exportedAt.description)), .init("files", .array(entries.map(\.json))),
        ]).json
    }
}

extension ExportManifest.Entry {
    fileprivate var json: JSONValue {
        var members: [JSONValue.Member] = [.init("file", .string(file))]
        if let object { members.append(.init("object", .string(object))) }
        if let rows { members.append(.init("rows", .number("\(rows)"))) }
        members += [.init("bytes", .number("\(bytes)")), .init("sha256", .string(sha256))]
        return .object(members)
    }
}

/// A file of an export while it is written; only its owner can read it.
struct ExportFile {
    private let name: String
    private let object: ObjectName?
    private let handle: FileHandle
    private var hash = SHA256()
    private var rows = 0
    private var bytes = 0

    /// Makes the file for a person's object. All are in one folder, because one object's name may be a prefix of
    /// another's.
    ///
    /// - Throws: `CocoaError`.
    init(_ object: ObjectName, of subject: StreamID, in folder: String) throws {
        let (name, own) = (object.description, ObjectName.folder(of: subject.uuid))
        let kept = name.hasPrefix(own) ? String(name.dropFirst(own.count)) : name
        try self.init("objects/\(Self.fileName(kept))", in: folder, object: object)
    }

    /// A unique file name that shows the object's name: characters that are unsafe in a path become `%` and two digits,
    /// and a name that is too long is cut and ends with its hash.
    static func fileName(_ name: String) -> String {
        let encoded = name.addingPercentEncoding(withAllowedCharacters: safeInPaths) ?? ""
        let visible = encoded.hasPrefix(".") ? "%2E\(encoded.dropFirst())" : encoded
        guard !(1...200).contains(visible.utf8.count) else { return visible }
        return "\(visible.prefix(130))~\(SHA256.hash(data: Array(name.utf8)).hexadecimal)"
    }

    private static let safeInPaths = CharacterSet(
        charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
    )

    /// Makes the file, and the folder above it.
    ///
    /// - Parameter object: The object that it holds; `nil` for lines.
    /// - Throws: `CocoaError`.
    init(_ name: String, in folder: String, object: ObjectName? = nil) throws {
        self.name = name
        self.object = object
        let url = URL(filePath: folder, directoryHint: .isDirectory).appending(path: name)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        let path = url.path(percentEncoded: false)
        guard FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]) else {
            let reason = NSError(domain: NSPOSIXErrorDomain, code: Int(errno))
            throw CocoaError(.fileWriteUnknown, userInfo: [NSUnderlyingErrorKey: reason])
        }
        handle = try FileHandle(forWritingTo: url)
    }

    /// Writes a line.
    mutating func write(line: [UInt8]) throws {
        rows += 1
        try write(line + [0x0A])
    }

    /// Writes bytes.
    mutating func write(_ content: [UInt8]) throws {
        try handle.write(contentsOf: Data(content))
        hash.update(data: content)
        bytes += content.count
    }

    /// Closes the file.
    ///
    /// - Returns: Its entry in the manifest.
    consuming func finish() throws -> ExportManifest.Entry {
        try handle.synchronize()
        try handle.close()
        let sha256 = hash.finalize().hexadecimal
        return ExportManifest.Entry(
            file: name,
            object: object?.description,
            rows: object == nil ? rows : nil,
            bytes: bytes,
            sha256: sha256
        )
    }
}
