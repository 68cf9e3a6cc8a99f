using Ferry.Transfer.Wire;

namespace Ferry.Transfer.SharedMemory;

/// <summary>What the handshake tells of a process's memory: which boot of which host, which process, and a token in its memory that proves a reader's reach.</summary>
/// <param name="BootId">The kernel's random id of this boot: equal means the same host, and not one that has restarted since.</param>
/// <param name="ProcessSpace">Inode of the process's PID namespace: equal means that the process id means the same to both.</param>
internal sealed record SharedAddress(UInt128 BootId, ulong ProcessSpace, int ProcessId, ulong TokenAddress, UInt128 Token)
{
    public byte[] Encode()
    {
        var writer = new WireWriter();
        writer.UInt128(BootId);
        writer.UInt64(ProcessSpace);
        writer.UInt32((uint)ProcessId);
        writer.UInt64(TokenAddress);
        writer.UInt128(Token);
        return writer.Written.ToArray();
    }

    /// <summary>Null for bytes that are not exactly one.</summary>
    public static SharedAddress? Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new WireReader(bytes);
        var (boot, space, id) = (reader.UInt128(), reader.UInt64(), reader.UInt32());
        var (address, token) = (reader.UInt64(), reader.UInt128());
        return reader.IsComplete && id is > 0 and <= int.MaxValue ? new SharedAddress(boot, space, (int)id, address, token) : null;
    }

    /// <summary>Of this process; the token fields are the caller's.</summary>
    /// <exception cref="IOException">/proc is not there.</exception>
    public static SharedAddress OfThisProcess(ulong tokenAddress, UInt128 token)
    {
        var boot = Guid.Parse(File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim());
        // "pid:[4026531836]"
        var space = new FileInfo("/proc/self/ns/pid").LinkTarget is { } link && ulong.TryParse(link.AsSpan(link.IndexOf('[') + 1).TrimEnd(']'), out var inode) ? inode : 0;
        return new SharedAddress(new UInt128(BitConverter.ToUInt64(boot.ToByteArray(), 0), BitConverter.ToUInt64(boot.ToByteArray(), 8)), space, Environment.ProcessId, tokenAddress, token);
    }
}
