/// Values to be recomputed before they expire, which happens while ``run()`` runs.
///
/// Bounded: when too many wait, as when nobody runs it, new ones are forgotten, and those values just expire.
package struct RefreshQueue: Sendable {
    private typealias Work = @Sendable () async -> Void

    private let stream: AsyncStream<Work>
    private let continuation: AsyncStream<Work>.Continuation
    /// How many run at a time.
    private static let width = 4
    private static let longest = 256

    package init() {
        (stream, continuation) = AsyncStream.makeStream(of: Work.self, bufferingPolicy: .bufferingOldest(Self.longest))
    }

    func add(_ work: @escaping @Sendable () async -> Void) { continuation.yield(work) }

    /// Carries out what is added, until the task is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            for _ in 0..<Self.width {
                group.addTask { for await work in stream { await work() } }
            }
        }
    }
}
