import CCurl
import Foundation

/// State of one request that libcurl's callbacks reach by address. Lives and dies on the thread that sends.
final class HTTPExchange {
    private static let errorBodyLimit = 65_536

    private let limit: Int64
    private let allowsPrivateAddresses: Bool
    private let receive: ([UInt8]) throws -> Void
    private var received: Int64 = 0
    private var status = 0
    private var upload: FileHandle?
    private(set) var headers: [(name: String, value: String)] = []
    private(set) var errorBody: [UInt8] = []
    private(set) var failure: HTTPError?

    init(limit: Int64, allowsPrivateAddresses: Bool, receive: @escaping ([UInt8]) throws -> Void) {
        self.limit = limit
        self.allowsPrivateAddresses = allowsPrivateAddresses
        self.receive = receive
    }

    func connect(_ handle: UnsafeMutableRawPointer, _ address: UnsafeMutableRawPointer) {
        _ = curl_set_pointer(handle, CURLOPT_WRITEDATA, address)
        _ = curl_set_transfer(handle, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            guard let exchange = HTTPExchange.from(context) else { return 0 }
            return exchange.take(UnsafeRawBufferPointer(start: bytes, count: size * count)) ? size * count : 0
        }
        _ = curl_set_pointer(handle, CURLOPT_HEADERDATA, address)
        _ = curl_set_transfer(handle, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
            HTTPExchange.from(context)?.takeHeader(UnsafeRawBufferPointer(start: bytes, count: size * count))
            return size * count
        }
        _ = curl_set_pointer(handle, CURLOPT_READDATA, address)
        _ = curl_set_transfer(handle, CURLOPT_READFUNCTION) { bytes, size, count, context in
            guard let exchange = HTTPExchange.from(context) else { return Int(CURL_READFUNC_ABORT) }
            return exchange.give(UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
        }
        _ = curl_set_pointer(handle, CURLOPT_OPENSOCKETDATA, address)
        _ = curl_set_opensocket(handle) { context, _, target in
            guard let exchange = HTTPExchange.from(context), let target else { return -1 }
            return exchange.openSocket(target)
        }
    }

    private static func from(_ context: UnsafeMutableRawPointer?) -> HTTPExchange? {
        context.map { Unmanaged<HTTPExchange>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Runs the request with its body, whose memory must hold until libcurl is done.
    func perform(_ body: HTTPRequest.Body, _ handle: UnsafeMutableRawPointer) throws(HTTPError) -> CURLcode {
        switch body {
        case .none: return curl_easy_perform(handle)
        case .bytes(let bytes):
            _ = curl_set_large(handle, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(bytes.count))
            var bytes = bytes
            // An empty array has no address, which libcurl would take for "ask the read callback".
            if bytes.isEmpty { bytes = [0] }
            return bytes.withUnsafeMutableBytes { buffer in
                _ = curl_set_pointer(handle, CURLOPT_POSTFIELDS, buffer.baseAddress)
                return curl_easy_perform(handle)
            }
        case .file(let path, let size):
            guard let file = FileHandle(forReadingAtPath: path) else { throw .invalidRequest("the file to send cannot be opened") }
            defer { try? file.close() }
            upload = file
            _ = curl_set_long(handle, CURLOPT_UPLOAD, 1)
            _ = curl_set_large(handle, CURLOPT_INFILESIZE_LARGE, curl_off_t(size))
            return curl_easy_perform(handle)
        }
    }

    private func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard (200..<300).contains(status) else {
            errorBody += bytes.prefix(Self.errorBodyLimit - errorBody.count)
            return true
        }
        received += Int64(bytes.count)
        guard received <= limit else {
            failure = .tooLarge(limit)
            return false
        }
        do { try receive(Array(bytes)) } catch {
            failure = .interrupted("\(error)")
            return false
        }
        return true
    }

    private func takeHeader(_ bytes: UnsafeRawBufferPointer) {
        let line = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        if line.hasPrefix("HTTP/") {
            headers = []
            errorBody = []
            let parts = line.split(separator: " ")
            status = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
        } else if let colon = line.firstIndex(of: ":"), headers.count < 200 {
            let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            headers.append((String(line[..<colon]), value))
        }
    }

    private func give(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        do {
            guard let data = try upload?.read(upToCount: buffer.count) else { return 0 }
            buffer.copyBytes(from: data)
            return data.count
        } catch {
            failure = .interrupted("\(error)")
            return Int(CURL_READFUNC_ABORT)
        }
    }

    private func openSocket(_ target: UnsafeMutablePointer<curl_sockaddr>) -> Int32 {
        let address = target.pointee
        // The generic address is too short for IPv6: read both where libcurl keeps them.
        let raw = UnsafeRawPointer(target).advanced(by: MemoryLayout<curl_sockaddr>.offset(of: \.addr) ?? 16)
        func bytes(_ range: Range<Int>) -> [UInt8] { range.map { raw.load(fromByteOffset: $0, as: UInt8.self) } }
        let isAllowed =
            switch address.family {
            case AF_INET: PublicAddress.isPublic(v4: bytes(4..<8))
            case AF_INET6: PublicAddress.isPublic(v6: bytes(8..<24))
            default: false
            }
        guard allowsPrivateAddresses || isAllowed else {
            failure = .addressRefused
            return -1
        }
        failure = nil
        return socket(address.family, address.socktype | Int32(SOCK_CLOEXEC.rawValue), address.protocol)
    }
}
