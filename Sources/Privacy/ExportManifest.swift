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
        if let rows { members.append(.init("rows", .number("\(rows)"))) }
        members += [.init("bytes", .number("\(bytes)")), .init("sha256", .string(sha256))]
        return .object(members)
    }
}

/// A file of an export while it is written; only its owner can read it.
struct ExportFile {
    private let name: String
    private let handle: FileHandle
    private var hash = SHA256()
    private var rows: Int?
    private var bytes = 0

    /// Makes the file, and the folders above it.
    ///
    /// - Throws: `CocoaError`.
    init(_ name: String, in folder: String) throws {
        self.name = name
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
        rows = (rows ?? 0) + 1
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
    /// - Returns: What the manifest says of it.
    consuming func finish() throws -> ExportManifest.Entry {
        try handle.synchronize()
        try handle.close()
        let sha256 = hash.finalize().hexadecimal
        let isTable = name.hasSuffix(".jsonl")
        return ExportManifest.Entry(file: name, rows: isTable ? rows ?? 0 : nil, bytes: bytes, sha256: sha256)
    }
}
