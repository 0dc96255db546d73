extension Int64 {
    /// A decimal integer over all of `text`, blanks around it ignored. A fraction of zeros (`7.0`), as spreadsheets write it, is dropped.
    init?(exactly text: some Collection<UInt8>) {
        var value: UInt64 = 0
        var state = 0
        var isNegative = false
        // 0: before; 1: after a sign; 2: digits; 3: zeros after the point; 4: blanks after
        for byte in text {
            switch (byte, state) {
            case (0x20, 0), (0x20, 4): continue
            case (0x20, 2), (0x20, 3): state = 4
            case (UInt8(ascii: "-"), 0):
                isNegative = true
                state = 1
            case (UInt8(ascii: "+"), 0): state = 1
            case (0x30...0x39, 0...2):
                let (product, isLarge) = value.multipliedReportingOverflow(by: 10)
                let (sum, isLarger) = product.addingReportingOverflow(UInt64(byte - 0x30))
                guard !isLarge, !isLarger else { return nil }
                value = sum
                state = 2
            case (UInt8(ascii: "."), 2): state = 3
            case (UInt8(ascii: "0"), 3): continue
            default: return nil
            }
        }
        guard state >= 2, value <= UInt64(Int64.max) else { return nil }
        self = isNegative ? -Int64(value) : Int64(value)
    }
}

extension Double {
    /// A finite decimal number over all of `text`, blanks around it ignored; no hexadecimal, no `nan`, no `inf`.
    public init?(decimal text: UnsafeBufferPointer<UInt8>) {
        var start = 0
        var end = text.count
        while start < end, text[start] == 0x20 { start += 1 }
        while end > start, text[end - 1] == 0x20 { end -= 1 }
        guard end > start, end - start <= 400 else { return nil }
        if let value = Self.short(text[start..<end]) {
            self = value
            return
        }
        for byte in text[start..<end] {
            switch byte {
            case 0x30...0x39, UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"): continue
            default: return nil
            }
        }
        guard let value = Double(String(decoding: text[start..<end], as: UTF8.self)), value.isFinite else { return nil }
        self = value
    }

    init?(decimal text: [UInt8]) {
        guard let value = text.withUnsafeBufferPointer({ Double(decimal: $0) }) else { return nil }
        self = value
    }

    /// Up to 15 digits without an exponent: both the digits and the power of ten are exact, so one division rounds right
    /// (W. D. Clinger, "How to read floating point numbers accurately", 1990).
    private static func short(_ text: Slice<UnsafeBufferPointer<UInt8>>) -> Double? {
        var value: Int64 = 0
        var digits = 0
        var scale = 1.0
        var hasPoint = false
        var isNegative = false
        for (position, byte) in text.enumerated() {
            switch byte {
            case 0x30...0x39:
                value = value * 10 + Int64(byte - 0x30)
                digits += 1
                if digits > 15 { return nil }
                if hasPoint { scale *= 10 }
            case UInt8(ascii: ".") where !hasPoint: hasPoint = true
            case UInt8(ascii: "-") where position == 0: isNegative = true
            default: return nil
            }
        }
        guard digits > 0 else { return nil }
        return (isNegative ? -Double(value) : Double(value)) / scale
    }
}
