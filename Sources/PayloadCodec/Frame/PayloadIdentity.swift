package import FoundationEssentials

/// The event and stream that a payload belongs to: what is sealed in it opens for these only.
package struct PayloadIdentity: Hashable, Sendable {
    /// How many bytes an identity has.
    static let length = 32

    private let stream: UUID
    private let event: UUID

    /// - Parameters:
    ///   - stream: The stream's id.
    ///   - event: The event's id.
    package init(stream: UUID, event: UUID) {
        self.stream = stream
        self.event = event
    }

    /// The first four bytes of the event's id.
    var eventPrefix: UInt32 { event.prefix }

    /// The bytes of the stream's id, then those of the event's.
    var bytes: [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: Self.length) { target, count in
            unsafe write(to: UnsafeMutableRawBufferPointer(target))
            count = Self.length
        }
    }

    /// Writes ``bytes`` to the beginning of a buffer that has room for them.
    func write(to target: UnsafeMutableRawBufferPointer) {
        unsafe target.storeBytes(of: stream.uuid, as: uuid_t.self)
        unsafe target.storeBytes(of: event.uuid, toByteOffset: 16, as: uuid_t.self)
    }
}

extension UUID {
    /// The first four bytes, the first one lowest; in a UUIDv7 they give the minute.
    var prefix: UInt32 {
        UInt32(uuid.0) | UInt32(uuid.1) << 8 | UInt32(uuid.2) << 16 | UInt32(uuid.3) << 24
    }
}
