internal import EventStore
internal import Logging

extension ProjectorWorker {
    /// Says that a stream is stopped: once, for its later events are held back and fail no more.
    ///
    /// Called when that is committed.
    func warn(of failing: FailingEvent, key: ProjectionShard) {
        logger.warning(
            "a projection stops a stream at an event that it cannot apply: see `recorder projections status`",
            metadata: [
                "projection": "\(key.owner)", "stream": "\(failing.event.stream)",
                "eventVersion": "\(failing.event.version)", "event": "\(failing.event.id)", "type": "\(failing.type)",
                "error": "\(failing.reason)",
            ]
        )
    }

    /// Says that a stopped stream was tried again and stays stopped.
    func warn(ofFailedRetry stopped: QuarantinedStream) {
        logger.warning(
            "a stream was tried again and stays stopped: see `recorder projections status`",
            metadata: ["projection": "\(stopped.key.owner)", "stream": "\(stopped.stream)"]
        )
    }
}
