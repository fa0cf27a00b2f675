internal import CLibpq
internal import Logging

/// Logs the server's notices with swift-log.
final class NoticeLogger: Sendable {
    private let logger: Logger

    init(logger: Logger) { self.logger = logger }

    /// Makes libpq pass a connection's notices to this logger, which must outlive the connection.
    func receiveNotices(of connection: OpaquePointer) {
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        _ = unsafe PQsetNoticeReceiver(
            connection,
            { context, result in
                guard let context = unsafe context, let result = unsafe result else { return }
                let logger = unsafe Unmanaged<NoticeLogger>.fromOpaque(context).takeUnretainedValue()
                unsafe logger.log(result)
            },
            context
        )
    }

    private func log(_ notice: OpaquePointer) {
        let severity = unsafe LibpqResult.severity(of: notice)
        let level: Logger.Level =
            switch severity {
            case "WARNING", "ERROR", "FATAL", "PANIC": .warning
            case "NOTICE", "INFO": .info
            default: .debug
            }
        var metadata: Logger.Metadata = ["severity": "\(severity)"]
        if let sqlState = unsafe LibpqResult.field(UInt8(ascii: "C"), of: notice) {
            metadata["sqlState"] = "\(sqlState)"
        }
        let message = unsafe LibpqResult.field(UInt8(ascii: "M"), of: notice) ?? "the server gave no text"
        logger.log(level: level, "\(message)", metadata: metadata)
    }
}
