internal import FoundationEssentials
internal import Glibc

/// Objects as files of a directory.
///
/// A file begins with a line that holds the SHA-256 of the rest. It is written in another folder, synced and renamed,
/// so whatever crashes, an object is whole, with its old content or its new.
public struct DirectoryObjectStore: ObjectStore {
    private let root: String
    private static let mark = "recorder-object-1 "
    /// The first line: mark, 64 digits, line feed.
    private static let headerSize = 83
    private static let pieceSize = 256 << 10

    /// - Parameter directory: Created when the first object is stored.
    public init(directory: String) { root = directory }

    private func path(of name: ObjectName) -> String { "\(root)/\(name)\(ObjectName.fileSuffix)" }
    private var uploads: String { "\(root)/.uploads" }

    // MARK: Writing

    /// Stores an object: in a file aside, which is then renamed.
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
                let folder = Self.parent(of: target)
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

    /// Makes a directory and what is missing above it, and syncs every folder that has a new one.
    private static func makeDirectory(_ path: String) throws(CacheError) {
        var parents: [String] = []
        var folder = path
        while folder != ".", !FileManager.default.fileExists(atPath: folder) {
            folder = parent(of: folder)
            parents.append(folder)
        }
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw CacheError(.refused, "the directory \(path) cannot be made", cause: error)
        }
        for parent in parents { try ObjectFile(parent, O_RDONLY | O_DIRECTORY).sync() }
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Removes the unfinished files of processes that died: nobody holds their locks.
    private static func removeLeftovers(in folder: String) {
        for entry in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            // An empty file may have just been created, and not be locked yet.
            guard let file = try? ObjectFile("\(folder)/\(entry)", O_RDONLY), (try? file.size) ?? 0 > 0, file.lock()
            else { continue }
            unsafe unlink("\(folder)/\(entry)")
        }
    }

    /// Removes an object's file, if there is one.
    public func remove(_ name: ObjectName) async throws {
        try await Self.remove(path(of: name), of: "object \(name)")
    }

    /// Removes all files whose names begin with a prefix, including those that another program put there. Also removes
    /// the remains of all uploads whose processes were killed, because nobody knows whose they are.
    public func removeAll(prefix: String) async throws -> Int {
        var removed = 0
        while true {
            let paths = try await paths(prefix)
            guard !paths.isEmpty else { break }
            for path in paths { try await Self.remove("\(root)/\(path)", of: path) }
            removed += paths.count
        }
        let uploads = uploads
        try await ObjectFile.blocking { Self.removeLeftovers(in: uploads) }
        return removed
    }

    private static func remove(_ path: String, of what: String) async throws {
        try Task.checkCancellation()
        try await ObjectFile.blocking {
            guard unsafe unlink(path) != 0 else { return }
            let error = ObjectFile.failure("\(what) cannot be removed")
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

    /// What an object's file says about it.
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

    /// The names of the files that are objects; files that another program put there are left out.
    ///
    /// A missing directory is an error, not an empty store: it may be on a disk that is not mounted.
    public func list(prefix: String, after: ObjectName?, limit: Int) async throws -> [ObjectName] {
        let names = try await paths(prefix).compactMap { Self.object($0).flatMap { try? ObjectName($0) } }
        return Self.page(names, after, limit)
    }

    /// The names of all files, which must be objects, whatever their names.
    public func listAll(prefix: String, after: ObjectName?, limit: Int) async throws -> [ObjectName] {
        let names = try await paths(prefix).map { path in
            guard let text = Self.object(path) else {
                throw CacheError(.refused, "\(root)/\(path) is no object of the recorder: take it elsewhere")
            }
            return ObjectName(unchecked: text)
        }
        return Self.page(names, after, limit)
    }

    /// The name of the object in a file; `nil` for a file of another kind.
    private static func object(_ path: String) -> String? {
        path.hasSuffix(ObjectName.fileSuffix) ? String(path.dropLast(ObjectName.fileSuffix.count)) : nil
    }

    private static func page(_ names: [ObjectName], _ after: ObjectName?, _ limit: Int) -> [ObjectName] {
        let rest = after.map { after in names.filter { after < $0 } } ?? names
        return Array(rest.sorted().prefix(min(max(1, limit), 1_000)))
    }

    /// The paths, from the root, of all files whose names begin with a prefix.
    private func paths(_ prefix: String) async throws -> [String] {
        let root = root
        return try await ObjectFile.blocking {
            guard FileManager.default.fileExists(atPath: root) else {
                throw CacheError(.unavailable, "\(root) is not there: mount it, or make it if no object was stored yet")
            }
            var paths: [String] = []
            try Self.collect(in: root, "", prefix, &paths)
            return paths
        }
    }

    /// Goes through the folders that can hold names with the prefix, except the store's own.
    private static func collect(
        in root: String,
        _ folder: String,
        _ prefix: String,
        _ paths: inout [String]
    ) throws(CacheError) {
        for entry in try entries(of: "\(root)/\(folder)") where !(folder.isEmpty && entry.hasPrefix(".")) {
            let path = folder + entry
            if isFolder("\(root)/\(path)") {
                if "\(path)/".hasPrefix(prefix) || prefix.hasPrefix("\(path)/") {
                    try collect(in: root, "\(path)/", prefix, &paths)
                }
            } else if (object(path) ?? path).hasPrefix(prefix) {
                paths.append(path)
            }
        }
    }

    /// Whether a path is a folder; a link to one is not: what it leads to is not the store's.
    private static func isFolder(_ path: String) -> Bool {
        guard !path.hasSuffix(ObjectName.fileSuffix) else { return false }
        var status = stat()
        return unsafe lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    private static func entries(of folder: String) throws(CacheError) -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: folder)
        } catch let error as CocoaError where error.code == .fileReadNoSuchFile || error.code == .fileNoSuchFile {
            // The folder was removed meanwhile.
            return []
        } catch {
            throw CacheError(.unavailable, "the objects in \(folder) cannot be listed", cause: error)
        }
    }
}
