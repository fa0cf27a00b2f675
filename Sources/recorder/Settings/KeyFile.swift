import EventStore
import Foundation
import Glibc
import PayloadCodec
import Schema

/// Reads key-encryption keys from files and settings.
enum KeyFile {
    /// The file of the embedded server's keys, in its directory.
    static func embedded(in directory: String) -> String { "\(directory)/keys" }

    /// Reads a file; it is read again when a key is missing, as after a rotation.
    ///
    /// - Throws: ``CommandError`` with code `.setting` if it cannot be read or holds no key.
    static func read(_ path: String) throws(CommandError) -> SealingKeys {
        warn(of: path)
        return try keys(of: "the key file \(path)") { place in
            try SealingKeys(from: place) {
                do {
                    return String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
                } catch {
                    throw CommandError(
                        .setting,
                        "\(place) cannot be read (\(error.fileReason)): see --key-file and RECORDER_KEY_FILE",
                        cause: error
                    )
                }
            }
        }
    }

    /// Warns of a file that others than its owner may read.
    private static func warn(of path: String) {
        let mode = (try? FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]) as? Int ?? 0
        guard mode & 0o077 != 0 else { return }
        StandardError.line("recorder: the key file \(path) is open to others than its owner: chmod 600")
    }

    /// Reads keys from a setting.
    ///
    /// - Throws: ``CommandError`` with code `.setting` that names where they are set, and never the text.
    static func parse(_ text: String, origin: String) throws(CommandError) -> SealingKeys {
        try keys(of: origin) { _ in try SealingKeys(text: text) }
    }

    private static func keys(of place: String, _ read: (String) throws -> SealingKeys) throws(CommandError)
        -> SealingKeys
    {
        let keys: SealingKeys
        do {
            keys = try read(place)
        } catch let error as CommandError {
            throw error
        } catch {
            throw CommandError(.setting, "\(place): \(error)")
        }
        guard !keys.isEmpty else {
            throw CommandError(.setting, "\(place) holds no key: `recorder keys new` prints one")
        }
        return keys
    }

    /// Reads a file, or makes one with a new key that only its owner can read.
    ///
    /// - Throws: ``CommandError`` with code `.file` if it cannot be made; as ``read(_:)``.
    static func readOrMake(_ path: String) throws(CommandError) -> SealingKeys {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            guard errno == EEXIST else {
                throw CommandError(.file, "the key file \(path) cannot be made: \(SystemMessage.of(errno))")
            }
            return try read(path)
        }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        let key = LocalKeyEncryptionKey()
        do {
            try file.write(contentsOf: Data("\(key.line)\n".utf8))
            try file.synchronize()
            try file.close()
        } catch {
            throw CommandError(.file, "the key file \(path) cannot be written: \(error.fileReason)", cause: error)
        }
        return SealingKeys([key])
    }
}
