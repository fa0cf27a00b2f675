/// The bytes of an object as they arrive, to be read once.
public struct ObjectBytes: AsyncSequence {
    /// A piece.
    public typealias Element = [UInt8]

    private let pull: () async throws -> [UInt8]?

    init(_ pull: @escaping () async throws -> [UInt8]?) { self.pull = pull }

    /// Goes on where the last iterator stopped.
    public func makeAsyncIterator() -> Iterator { Iterator(pull: pull) }

    /// Pulls a piece when it is asked for one.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let pull: () async throws -> [UInt8]?

        /// The next piece.
        ///
        /// - Throws: ``CacheError``; `CancellationError`.
        public mutating func next() async throws -> [UInt8]? { try await pull() }
    }
}
