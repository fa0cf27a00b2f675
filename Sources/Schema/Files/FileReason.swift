internal import Foundation

extension Error {
    /// Why a file could not be used, in the system's words; Foundation's own have codes instead.
    package var fileReason: String {
        let error = self as NSError
        let underlying = (error.userInfo[NSUnderlyingErrorKey] as? any Error).map { $0 as NSError }
        for reason in [underlying, error].compactMap(\.self)
        where reason.domain == NSPOSIXErrorDomain {
            return SystemMessage.of(Int32(reason.code))
        }
        return switch (self as? CocoaError)?.code {
        case .fileNoSuchFile, .fileReadNoSuchFile: "No such file or directory"
        case .fileReadNoPermission, .fileWriteNoPermission: "Permission denied"
        case .fileWriteOutOfSpace: "No space left on device"
        case .fileReadInapplicableStringEncoding, .fileReadUnknownStringEncoding, .fileReadCorruptFile:
            "it is not UTF-8"
        default: error.localizedDescription
        }
    }
}
