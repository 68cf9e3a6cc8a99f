using System.Collections.Concurrent;
using Ferry.Transfer.Media;
using Ferry.Transfer.OneSided;

namespace Ferry.Transfer.SharedMemory;

/// <summary>The memory of another process of this host.</summary>
/// <param name="processError">Null if process_vm_readv works, else why not.</param>
internal sealed class SharedMemoryPeer(SharedMemoryMedium medium, int processId, string? processError) : RemoteMemory
{
    // Ranges of one process_vm_readv; the kernel takes 1,024.
    private const int RangeCountMax = 256;

    private readonly ConcurrentDictionary<uint, Reached> _regions = new();
    private readonly Lock _adding = new();
    private readonly UseGate _uses = new();

    public override bool CopiesInParallel => true;

    public override bool CanMap => true;

    // The kernel refuses addresses that are gone; a mapping has its pages as long as this side wants them.
    public override bool ReadsUnheld => true;

    public override bool Knows(uint regionId) => _regions.ContainsKey(regionId);

    public override string? TryAddRegion(RegionInfo region)
    {
        if (!_uses.TryEnter())
        {
            return "The peer's memory has been let go.";
        }
        try
        {
            lock (_adding)
            {
                return Add(region);
            }
        }
        finally
        {
            _uses.Leave();
        }
    }

    public override ValueTask<string?> ReadAsync(IReadOnlyList<TransferPiece> pieces, CancellationToken cancellationToken)
    {
        if (!_uses.TryEnter())
        {
            return ValueTask.FromResult<string?>("The peer's memory has been let go.");
        }
        try
        {
            return ValueTask.FromResult(Copy(pieces, cancellationToken)); // The callers have threads of their own.
        }
        finally
        {
            _uses.Leave();
        }
    }

    public override bool Maps(uint regionId, long offset, long bytes) =>
        _regions.TryGetValue(regionId, out var region) && region.Mapping != 0 && offset >= 0 && bytes > 0 && bytes <= region.Bytes && offset <= region.Bytes - bytes;

    public override ValueTask<string?> ReadInPlaceAsync(InPlaceRead reading)
    {
        if (!_uses.TryEnter())
        {
            return ValueTask.FromResult<string?>("The peer's memory has been let go.");
        }
        try
        {
            if (!_regions.TryGetValue(reading.RegionId, out var region) || region.Mapping == 0)
            {
                return ValueTask.FromResult<string?>($"Region {reading.RegionId} of the peer is not mapped.");
            }
            reading.Mapped!(region.Mapping); // The mapping stays for as long as this use does.
            return ValueTask.FromResult<string?>(null);
        }
        finally
        {
            _uses.Leave();
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await _uses.CloseAsync();
        foreach (var id in _regions.Keys)
        {
            if (_regions.TryRemove(id, out var region) && region.Mapping != 0)
            {
                _ = LinuxMemory.Unmap(region.Mapping, (nuint)region.Bytes);
                medium.CountMappings(-1);
            }
        }
    }

    private string? Add(RegionInfo region)
    {
        if (_regions.TryGetValue(region.RegionId, out var known))
        {
            return known.Bytes == region.Bytes && known.Address == (nint)region.Address ? null : $"Region {region.RegionId} has changed its place.";
        }
        if (SharedKey.Decode(region.Key.Span) is not { } key)
        {
            return "The key of a region is malformed.";
        }
        nint mapping = 0;
        var error = key.IsFile ? TryMap(key, region.Bytes, out mapping) : processError;
        if (error is not null && key.IsFile && processError is null)
        {
            error = null; // Its bytes can be read out of the process all the same.
        }
        if (error is null)
        {
            _regions[region.RegionId] = new Reached((nint)region.Address, region.Bytes, mapping);
        }
        return error;
    }

    private unsafe string? Copy(IReadOnlyList<TransferPiece> pieces, CancellationToken cancellationToken)
    {
        Span<IoRange> locals = stackalloc IoRange[RangeCountMax];
        Span<IoRange> remotes = stackalloc IoRange[RangeCountMax];
        var count = 0;
        for (var i = 0; i < pieces.Count; i++)
        {
            var piece = pieces[i];
            if (!_regions.TryGetValue(piece.RegionId, out var region) || piece.Offset < 0 || piece.Bytes < 1 || piece.Offset > region.Bytes - piece.Bytes)
            {
                return $"[{piece.Offset}, +{piece.Bytes}) lies outside region {piece.RegionId} of the peer.";
            }
            if (!piece.Local.IsHost)
            {
                return $"Region {piece.Local.Id} is {piece.Local.MemoryType} memory, which shared memory does not reach.";
            }
            if (region.Mapping != 0)
            {
                // The piece's region is held by the caller, the mapping by this use: both addresses stay.
                StreamingCopy.Copy((byte*)region.Mapping + piece.Offset, piece.Local.Span(piece.LocalOffset, piece.Bytes));
            }
            else
            {
                locals[count] = IoRange.Of(piece.Local, piece.LocalOffset, piece.Bytes);
                remotes[count++] = new IoRange(region.Address + (nint)piece.Offset, (nuint)piece.Bytes);
            }
            if (count == RangeCountMax && Take(locals, remotes, ref count) is { } full)
            {
                return full;
            }
            if (cancellationToken.IsCancellationRequested)
            {
                return "The connection was closed.";
            }
        }
        return count > 0 ? Take(locals, remotes, ref count) : null;
    }

    private unsafe string? Take(Span<IoRange> locals, Span<IoRange> remotes, ref int count)
    {
        var first = 0;
        fixed (IoRange* local = locals, remote = remotes) // Stack memory; what it points at is held as above.
        {
            while (first < count)
            {
                var bytes = LinuxMemory.ReadProcess(processId, local + first, (nuint)(count - first), remote + first, (nuint)(count - first), 0);
                if (bytes <= 0)
                {
                    return $"process_vm_readv of process {processId}: {LinuxMemory.LastError()}";
                }
                // Both lists have the same lengths, so that they are cut alike; a range may have come in part.
                for (; first < count && bytes >= (nint)local[first].Bytes; first++)
                {
                    bytes -= (nint)local[first].Bytes;
                }
                if (bytes > 0)
                {
                    local[first] = new IoRange(local[first].Address + bytes, local[first].Bytes - (nuint)bytes);
                    remote[first] = new IoRange(remote[first].Address + bytes, remote[first].Bytes - (nuint)bytes);
                }
            }
        }
        count = 0;
        return null;
    }

    // A memfd only, and one sealed against shrinking: a mapping of anything else could lose its pages and end this process with SIGBUS.
    private string? TryMap(SharedKey key, long bytes, out nint mapping)
    {
        mapping = 0;
        var path = $"/proc/{processId}/fd/{key.Descriptor}";
        var descriptor = LinuxMemory.Open(path, LinuxMemory.OpenReadOnly | LinuxMemory.OpenNonBlocking | LinuxMemory.CloseOnExec);
        if (descriptor < 0)
        {
            return $"{path} cannot be opened ({LinuxMemory.LastError()}); both processes must run as one user.";
        }
        try
        {
            var seals = LinuxMemory.Control(descriptor, LinuxMemory.GetSeals, 0);
            if (seals < 0 || (seals & LinuxMemory.SealShrink) == 0)
            {
                return $"{path} is not a memfd that is sealed against shrinking.";
            }
            if (LinuxMemory.Seek(descriptor, 0, LinuxMemory.SeekEnd) - key.FileOffset < bytes)
            {
                return $"{path} is shorter than the region that it is said to hold.";
            }
            var address = LinuxMemory.Map(0, (nuint)bytes, LinuxMemory.ProtectRead, LinuxMemory.MapShared, descriptor, key.FileOffset);
            if (address == LinuxMemory.MapFailed)
            {
                return $"{path} cannot be mapped ({LinuxMemory.LastError()}).";
            }
            mapping = address;
            medium.CountMappings(1);
            return null;
        }
        finally
        {
            _ = LinuxMemory.Close(descriptor);
        }
    }

    /// <param name="Address">In the peer.</param>
    /// <param name="Mapping">Here, or 0.</param>
    private readonly record struct Reached(nint Address, long Bytes, nint Mapping);
}
