internal import FoundationEssentials
internal import Glibc

/// Objects as files of a directory.
///
/// A file begins with a line that has the SHA-256 of what follows. It is written aside, brought to disk and renamed, so an
/// object is there whole, under its old content or its new one, whatever crashes.
public struct DirectoryObjectStore: ObjectStore {
    private let root: String
    private static let mark = "recorder-object-1 "
    /// The first line: mark, 64 digits, line feed.
    private static let headerSize = 83
    private static let pieceSize = 256 << 10

    /// - Parameter directory: Made when the first object is stored.
    public init(directory: String) { root = directory }

    private func path(of name: ObjectName) -> String { "\(root)/\(name)\(ObjectName.fileSuffix)" }
    private var uploads: String { "\(root)/.uploads" }

    // MARK: Writing

    /// Stores an object: aside, then in its place.
    public func put<Body: AsyncSequence>(_ name: ObjectName, _ body: Body) async throws -> ObjectInfo
    where Body.Element == [UInt8] {
        let (aside, target) = ("\(uploads)/\(UUID().uuidString)", path(of: name))
        let uploads = uploads
        let file = try await ObjectFile.blocking {
            try Self.makeDirectory(uploads)
            Self.removeLeftovers(in: uploads)
            let file = try ObjectFile(aside, O_RDWR | O_CREAT | O_EXCL)
            guard file.lock() else { throw ObjectFile.failure("\(aside) is locked") }
            return file
        }
        do {
            var checksum = ObjectChecksum()
            for try await piece in body {
                let offset = Self.headerSize + checksum.size
                checksum.update(piece)
                try await ObjectFile.blocking { try file.write(piece, at: offset) }
            }
            let info = ObjectInfo(name: name, size: checksum.size, checksum: checksum.hexadecimal)
            let header = Array("\(Self.mark)\(checksum.hexadecimal)\n".utf8)
            try Task.checkCancellation()
            try await ObjectFile.blocking {
                try file.write(header, at: 0)
                try file.sync()
                let folder = String(target[..<(target.lastIndex(of: "/") ?? target.startIndex)])
                try Self.makeDirectory(folder)
                guard unsafe rename(aside, target) == 0 else {
                    throw ObjectFile.failure("object \(name) cannot be put in its place")
                }
                try ObjectFile(folder, O_RDONLY | O_DIRECTORY).sync()
            }
            return info
        } catch {
            unsafe unlink(aside)
            throw error
        }
    }

    private static func makeDirectory(_ path: String) throws(CacheError) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw CacheError(.refused, "the directory \(path) cannot be made", cause: error)
        }
    }

    /// Removes what was being written when its process died: nobody holds its lock.
    private static func removeLeftovers(in folder: String) {
        for entry in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            // What is empty may have been made this moment, and not be locked yet.
            guard let file = try? ObjectFile("\(folder)/\(entry)", O_RDONLY), (try? file.size) ?? 0 > 0, file.lock()
            else { continue }
            unsafe unlink("\(folder)/\(entry)")
        }
    }

    /// Removes an object's file, if there is one.
    public func remove(_ name: ObjectName) async throws {
        let path = path(of: name)
        try await ObjectFile.blocking {
            guard unsafe unlink(path) != 0 else { return }
            let error = ObjectFile.failure("object \(name) cannot be removed")
            guard error.code == .notFound else { throw error }
        }
    }

    // MARK: Reading

    /// Reads an object while `read` runs, even if it is removed or replaced meanwhile.
    public func get<R>(_ name: ObjectName, _ read: (ObjectInfo, ObjectBytes) async throws -> R) async throws -> R {
        let (file, info) = try await opened(name)
        var checksum = ObjectChecksum()
        var isDone = false
        return try await read(
            info,
            ObjectBytes {
                guard !isDone else { return nil }
                let offset = Self.headerSize + checksum.size
                let piece = try await ObjectFile.blocking { try file.read(Self.pieceSize, at: offset) }
                checksum.update(piece)
                guard piece.isEmpty else { return piece }
                isDone = true
                try checksum.check(info)
                return nil
            }
        )
    }

    /// What an object's file says of it.
    public func info(_ name: ObjectName) async throws -> ObjectInfo? {
        do {
            return try await opened(name).info
        } catch let error as CacheError where error.code == .notFound {
            return nil
        }
    }

    private func opened(_ name: ObjectName) async throws -> (file: ObjectFile, info: ObjectInfo) {
        let path = path(of: name)
        return try await ObjectFile.blocking {
            let file: ObjectFile
            do throws(CacheError) {
                file = try ObjectFile(path, O_RDONLY)
            } catch {
                guard error.code == .notFound else { throw error }
                throw CacheError(.notFound, "there is no object \(name)")
            }
            let line = String(decoding: try file.read(Self.headerSize, at: 0), as: UTF8.self)
            guard line.hasPrefix(Self.mark), line.utf8.count == Self.headerSize, line.hasSuffix("\n") else {
                throw CacheError(.corrupt, "object \(name) is damaged: \(path) does not begin with its checksum")
            }
            let checksum = String(line.dropFirst(Self.mark.count).dropLast())
            return (file, ObjectInfo(name: name, size: try file.size - Self.headerSize, checksum: checksum))
        }
    }

    /// The names of the files that are objects.
    ///
    /// A directory that is not there is an error, not an empty one: it may be on a disk that is not mounted.
    public func list(prefix: String, after: ObjectName?, limit: Int) async throws -> [ObjectName] {
        let root = root
        return try await ObjectFile.blocking {
            guard FileManager.default.fileExists(atPath: root) else {
                throw CacheError(.unavailable, "\(root) is not there: mount it, or make it if no object was stored yet")
            }
            var names: [ObjectName] = []
            try Self.collect(in: root, "", prefix) { name in
                if after.map({ $0 < name }) ?? true { names.append(name) }
            }
            return Array(names.sorted().prefix(min(max(1, limit), 1_000)))
        }
    }

    /// Goes through the folders that can hold names with the prefix.
    private static func collect(
        in root: String,
        _ folder: String,
        _ prefix: String,
        _ found: (ObjectName) -> Void
    ) throws {
        for entry in try entries(of: "\(root)/\(folder)") where !entry.hasPrefix(".") {
            let path = folder + entry
            if entry.hasSuffix(ObjectName.fileSuffix) {
                guard let name = try? ObjectName(String(path.dropLast(ObjectName.fileSuffix.count))) else { continue }
                if name.description.hasPrefix(prefix) { found(name) }
            } else if prefix.hasPrefix("\(path)/") || path.hasPrefix(prefix) || "\(path)/".hasPrefix(prefix) {
                try collect(in: root, "\(path)/", prefix, found)
            }
        }
    }

    private static func entries(of folder: String) throws -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: folder)
        } catch let error as CocoaError where error.code == .fileReadNoSuchFile || error.code == .fileNoSuchFile {
            // Its last object went meanwhile.
            return []
        } catch {
            throw CacheError(.unavailable, "the objects in \(folder) cannot be listed", cause: error)
        }
    }
}
