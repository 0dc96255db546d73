import Glibc
import Testing

@testable import Tastemaker

@Suite struct PeakMemoryTests {
    @Test func `a peak that was forgotten is not told again`() throws {
        let size = 400 << 20
        let memory = try #require(mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
        memset(memory, 1, size)
        let before = PeakMemory.bytes
        munmap(memory, size)
        #expect(before > size && PeakMemory.bytes > before - size / 10)
        PeakMemory.forget()
        // Other tests may allocate beside this one.
        #expect(PeakMemory.bytes < before - size / 2)
    }
}
