using System.Runtime.InteropServices;
using Ferry.Transfer.Media;
using Ferry.Transfer.OneSided;

namespace Ferry.Transfer.SharedMemory;

/// <summary>Bytes between processes of one host, copied once by the reader: out of a mapped memfd, or by process_vm_readv.</summary>
/// <remarks>
/// A region with a <see cref="SharedBacking"/> is mapped through <c>/proc/PID/fd</c>; any other is read with process_vm_readv, which the kernel
/// permits to processes of one user unless Yama forbids it. Both need a common PID namespace. A writer's bytes are fetched by the owner.
/// </remarks>
public sealed unsafe class SharedMemoryMedium : DataMedium
{
    private const int TokenBytes = 16;

    private readonly SharedAddress? _own;
    private readonly string _unavailable = string.Empty;
    private nint _token; // 16 random bytes at an address of their own; freed by DisposeAsync
    private int _mappings;

    public SharedMemoryMedium(IEntropy? entropy = null)
    {
        if (!OperatingSystem.IsLinux() || sizeof(nint) != 8)
        {
            _unavailable = "it needs 64-bit Linux";
            return;
        }
        _token = (nint)NativeMemory.Alloc(TokenBytes);
        var token = new Span<byte>((void*)_token, TokenBytes);
        (entropy ?? SystemEntropy.Instance).Fill(token);
        try
        {
            _own = SharedAddress.OfThisProcess((ulong)_token, MemoryMarshal.Read<UInt128>(token));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or FormatException)
        {
            _unavailable = $"/proc cannot be read here ({exception.Message})";
        }
    }

    public override string Name => "shm";

    public override int NativeHandles => Volatile.Read(ref _mappings) + (Volatile.Read(ref _token) == 0 ? 0 : 1);

    internal override byte[]? Describe(AgentIdentity own) => _own?.Encode();

    internal override byte[]? AddRegion(MemoryRegion region) => !region.IsHost
        ? null
        : (region.Backing is { } file ? new SharedKey(file.Descriptor, file.FileOffset) : SharedKey.ProcessMemory).Encode();

    internal override void RemoveRegion(MemoryRegion region)
    {
        // Nothing is held for a region; peers' mappings keep the file's pages until they let go.
    }

    internal override ValueTask<MediumOpening> OpenAsync(AgentIdentity peer, ReadOnlyMemory<byte> address, CancellationToken cancellationToken) =>
        ValueTask.FromResult(Open(address.Span));

    public override ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _token, 0) is not 0 and var token)
        {
            NativeMemory.Free((void*)token);
        }
        return ValueTask.CompletedTask;
    }

    internal void CountMappings(int change) => Interlocked.Add(ref _mappings, change);

    private MediumOpening Open(ReadOnlySpan<byte> address)
    {
        if (_own is null)
        {
            return new MediumOpening(null, _unavailable);
        }
        if (SharedAddress.Decode(address) is not { } peer)
        {
            return new MediumOpening(null, "the peer's address is malformed");
        }
        if (peer.BootId != _own.BootId)
        {
            return new MediumOpening(null, "the peer is on another host");
        }
        if (peer.ProcessSpace != _own.ProcessSpace)
        {
            return new MediumOpening(null, "the peer is in another PID namespace; run both containers with --pid=host or in one pod with a shared process namespace");
        }
        var reach = Probe(peer);
        return new MediumOpening(new SharedMemoryPeer(this, peer.ProcessId, reach), reach is null
            ? $"same host, process {peer.ProcessId}: process_vm_readv, or mapped where the memory is a memfd"
            : $"same host, process {peer.ProcessId}: memfds are mapped; other memory is not reached, since {reach}");
    }

    /// <summary>Reads the peer's token out of its memory. Null if that is what it should be, else why process_vm_readv does not work.</summary>
    private static string? Probe(SharedAddress peer)
    {
        UInt128 found = 0;
        var local = new IoRange((nint)(&found), TokenBytes);
        var remote = new IoRange((nint)peer.TokenAddress, TokenBytes);
        if (LinuxMemory.ReadProcess(peer.ProcessId, &local, 1, &remote, 1, 0) == TokenBytes)
        {
            return found == peer.Token ? null : "another process has that id by now";
        }
        return Marshal.GetLastPInvokeError() switch
        {
            LinuxMemory.NotPermitted => "process_vm_readv is not permitted (run both as one user; kernel.yama.ptrace_scope=0 or CAP_SYS_PTRACE)",
            LinuxMemory.NotImplemented => "this kernel or container has no process_vm_readv",
            _ => $"process_vm_readv fails ({LinuxMemory.LastError()})",
        };
    }
}
