internal import PayloadCodec
internal import Synchronization

extension SealingKeys {
    /// Keys that all their holders share, and the place to read them from again.
    final class Place: Sendable {
        private struct State {
            var keys: [any KeyEncryptionKey]
            var readAt: ContinuousClock.Instant?
            /// Why the last reading failed.
            var failure: (any Error)?
        }

        private let state: Mutex<State>
        private let name: String?
        private let read: (@Sendable () throws -> [any KeyEncryptionKey])?

        /// The shortest time between two readings, whatever key is asked for.
        private static let interval = Duration.seconds(1)

        /// - Parameters:
        ///   - name: Where the keys come from, in words; `nil` if there is nothing to read.
        ///   - read: Reads the keys again.
        init(
            _ keys: [any KeyEncryptionKey],
            named name: String? = nil,
            read: (@Sendable () throws -> [any KeyEncryptionKey])? = nil
        ) {
            state = Mutex(State(keys: keys))
            self.name = name
            self.read = read
        }

        var keys: [any KeyEncryptionKey] { state.withLock { $0.keys } }

        /// The key with an identifier; if it is not here, the place is read again.
        subscript(identifier: String) -> (any KeyEncryptionKey)? {
            state.withLock { state in
                if let key = state.keys.first(where: { $0.identifier == identifier }) { return key }
                guard let read, state.readAt.map({ $0 + Self.interval < .now }) ?? true else { return nil }
                state.readAt = .now
                do {
                    let found = try read()
                    // A file that is just being written may lack keys for a moment, so no known key is forgotten.
                    let others = state.keys.filter { known in !found.contains { $0.identifier == known.identifier } }
                    (state.keys, state.failure) = (found + others, nil)
                } catch {
                    state.failure = error
                }
                return state.keys.first { $0.identifier == identifier }
            }
        }

        func unavailable(_ identifier: String) -> EventStoreError {
            let key = "personal fields of this log are sealed under the key-encryption key \(identifier), which is not "
            guard let name else {
                return EventStoreError(
                    .keyUnavailable,
                    key + "given: set RECORDER_KEY_FILE, --key-file or RECORDER_KEYS to where it is"
                )
            }
            return EventStoreError(
                .keyUnavailable,
                key
                    + "in \(name): put it there, beside those that are, or name the file that has it by RECORDER_KEY_FILE "
                    + "or --key-file",
                cause: state.withLock { $0.failure }
            )
        }
    }
}
