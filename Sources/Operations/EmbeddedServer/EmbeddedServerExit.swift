import Glibc
import Synchronization

/// Stops the servers that still run when the process ends by `exit`, as a command line does on an error.
enum EmbeddedServerExit {
    private static let running = Mutex<[ObjectIdentifier: EmbeddedServer]>([:])
    private static let isInstalled = Mutex(false)

    /// Registers a server to be stopped when the process ends.
    static func remember(_ server: EmbeddedServer) {
        running.withLock { $0[ObjectIdentifier(server)] = server }
        isInstalled.withLock { installed in
            guard !installed else { return }
            installed = true
            atexit {
                EmbeddedServerExit.running.withLock { Array($0.values) }.forEach { $0.stopAtExit() }
            }
        }
    }

    /// Forgets a server that is stopped, or that its owner stops.
    static func forget(_ server: EmbeddedServer) {
        running.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(server)) }
    }
}
