using Ferry.Cache.Tiers.Disk;
using Ferry.Cache.Tiers.Disk.Files;
using Microsoft.Extensions.Logging;

namespace Ferry.TestKit.Disk;

/// <summary>One directory in memory that loses power at a given change, and fails as it is told.</summary>
public sealed class FaultyDisk
{
    private readonly Lock _lock = new();
    private readonly List<Action<Dictionary<string, FaultyInode>>> _pendingNames = [];
    private Dictionary<string, FaultyInode> _durableNames = [];
    private Dictionary<string, FaultyInode> _names = [];
    private bool _isClaimed;

    /// <summary>Changes made since the start of this run: writes, syncs, and changes of names.</summary>
    public int Changes { get; private set; }

    /// <summary>The power goes in the middle of this change, counted from 1; 0 for never.</summary>
    public int CrashAt { get; set; }

    public bool IsCrashed { get; private set; }

    public bool CanPunch { get; set; } = true;

    /// <summary>Asked before every call, with its name and the file's: what it gives is thrown. It may block, and holds up that call alone.</summary>
    public Func<string, string, Exception?>? Fault { get; set; }

    /// <summary>What the files take up.</summary>
    public long AllocatedBytes
    {
        get
        {
            lock (_lock)
            {
                return _names.Values.Sum(Allocated);
            }
        }
    }

    public IReadOnlyList<string> Names
    {
        get
        {
            lock (_lock)
            {
                return [.. _names.Keys.Order(StringComparer.Ordinal)];
            }
        }
    }

    /// <summary>A new run of a tier on this disk.</summary>
    /// <param name="tidy">False: the tier does nothing by itself.</param>
    public Task<DiskTier> OpenAsync(DiskTierOptions options, TimeProvider time, ILogger logger, bool tidy) =>
        DiskTier.OpenAsync(options, new Files(this), time, logger, tidy, CancellationToken.None);

    /// <summary>The power comes back.</summary>
    public void Restart(PowerLoss loss, int seed)
    {
        lock (_lock)
        {
            var random = new Random(seed);
            var kept = loss switch
            {
                PowerLoss.KeepsAll => _pendingNames.Count,
                PowerLoss.LosesAll => 0,
                _ => random.Next(_pendingNames.Count + 1), // File systems journal names in order.
            };
            _pendingNames.Take(kept).ToList().ForEach(change => change(_durableNames));
            _pendingNames.Clear();
            _names = new(_durableNames);
            foreach (var inode in _names.Values.Distinct())
            {
                inode.LosePower(random, loss);
            }
            (IsCrashed, _isClaimed, Changes, CrashAt) = (false, false, 0, 0);
        }
    }

    /// <summary>The process dies and nothing else does: what it had handed to the system is there.</summary>
    public void Kill() => Restart(PowerLoss.KeepsAll, 0);

    /// <summary>Changes bytes behind the tier's back.</summary>
    public void Tamper(string name, Action<byte[]> change)
    {
        lock (_lock)
        {
            var bytes = _names[name].Current.ToArray();
            change(bytes);
            _names[name].Change(new PendingWrite(0, bytes));
            _names[name].Sync();
        }
    }

    public byte[] ReadAll(string name)
    {
        lock (_lock)
        {
            return [.. _names[name].Current];
        }
    }

    /// <summary>Puts a file there, on the medium.</summary>
    public void Add(string name, byte[] bytes)
    {
        lock (_lock)
        {
            var inode = new FaultyInode();
            inode.Change(new PendingWrite(0, null, bytes.Length));
            inode.Change(new PendingWrite(0, bytes));
            inode.Sync();
            _names[name] = _durableNames[name] = inode;
        }
    }

    private static long Allocated(FaultyInode inode) => DiskPages.RoundUp(inode.Current.Length) - ((long)inode.Holes.Count * DiskPages.PageBytes);

    private string? NameOf(FaultyInode inode)
    {
        lock (_lock)
        {
            return _names.FirstOrDefault(one => one.Value == inode).Key;
        }
    }

    private T Do<T>(string call, string name, bool isChange, Func<T> act)
    {
        if (Fault?.Invoke(call, name) is { } fault)
        {
            throw fault;
        }
        lock (_lock)
        {
            if (IsCrashed)
            {
                throw new DiskCrashedException();
            }
            var crashes = isChange && ++Changes == CrashAt;
            // A write that the power failure cuts was begun; a sync that it cuts has promised nothing.
            var result = crashes && (call is "sync" or "syncDirectory") ? default! : act();
            if (crashes)
            {
                IsCrashed = true;
                throw new DiskCrashedException();
            }
            return result;
        }
    }

    private void Rename(Action<Dictionary<string, FaultyInode>> change)
    {
        change(_names);
        _pendingNames.Add(change);
    }

    private sealed class Files(FaultyDisk disk) : IDiskFiles
    {
        private bool _isOwner;

        public string Path => "/faulty";

        public DirectIo DirectIo => DirectIo.Used;

        public void Claim() => disk.Do("claim", "", isChange: false, () =>
        {
            _isOwner = !disk._isClaimed;
            disk._isClaimed = true;
            return _isOwner ? true : throw new DiskTierException("/faulty is in use.");
        });

        public IReadOnlyList<string> List() => disk.Do("list", "", isChange: false, () => disk._names.Keys.ToArray());

        public IDiskFile Create(string name) => disk.Do("create", name, isChange: true, () =>
        {
            var inode = new FaultyInode();
            disk.Rename(names => names.Add(name, inode));
            return new OpenFile(disk, inode, name);
        });

        public IDiskFile Open(string name) => disk.Do("open", name, isChange: false, () => new OpenFile(disk, disk._names[name], name));

        public byte[] ReadAll(string name, int byteCountMax) =>
            disk.Do("read", name, isChange: false, () => disk._names[name].Current.Take(byteCountMax).ToArray());

        public void Rename(string from, string to) => disk.Do("rename", from, isChange: true, () =>
        {
            disk.Rename(names =>
            {
                if (names.Remove(from, out var inode))
                {
                    names[to] = inode;
                }
            });
            return true;
        });

        public void Delete(string name) => disk.Do("delete", name, isChange: true, () =>
        {
            disk.Rename(names => names.Remove(name));
            return true;
        });

        public void SyncDirectory() => disk.Do("syncDirectory", "", isChange: true, () =>
        {
            disk._durableNames = new(disk._names);
            disk._pendingNames.Clear();
            return true;
        });

        public void Dispose()
        {
            if (_isOwner)
            {
                disk._isClaimed = false;
            }
        }
    }

    private sealed class OpenFile(FaultyDisk disk, FaultyInode inode, string name) : IDiskFile
    {
        private bool _isClosed;

        public long LengthBytes => Do("length", isChange: false, () => (long)inode.Current.Length);

        public long AllocatedBytes => Do("allocated", isChange: false, () => Allocated(inode));

        public void Read(long position, Memory<byte> destination)
        {
            if (Read(position, destination.Span, "read") < destination.Length)
            {
                throw new EndOfStreamException();
            }
        }

        public int ReadSmall(long position, Span<byte> destination) => Read(position, destination, "readSmall");

        public void Write(long position, ReadOnlyMemory<byte> bytes) => Change("write", new PendingWrite(position, bytes.ToArray()));

        public void WriteSmall(long position, ReadOnlySpan<byte> bytes) => Change("writeSmall", new PendingWrite(position, bytes.ToArray()));

        public void Extend(long lengthBytes) => Change("extend", new PendingWrite(0, null, lengthBytes));

        public void Truncate(long lengthBytes) => Change("truncate", new PendingWrite(0, null, lengthBytes));

        public bool TryPunch(long position, long byteCount)
        {
            if (disk.CanPunch)
            {
                Change("punch", new PendingWrite(position, null, HoleBytes: byteCount));
            }
            return disk.CanPunch;
        }

        public void Sync() => Do("sync", isChange: true, () =>
        {
            inode.Sync();
            return true;
        });

        public void Dispose() => _isClosed = true;

        private int Read(long position, Span<byte> destination, string call)
        {
            var bytes = Do(call, isChange: false, () => inode.Current);
            var count = (int)Math.Clamp(bytes.Length - position, 0, destination.Length);
            bytes.AsSpan((int)Math.Min(position, bytes.Length), count).CopyTo(destination);
            return count;
        }

        private void Change(string call, PendingWrite write) => Do(call, isChange: true, () =>
        {
            if (write.Bytes is { } bytes && write.Position + bytes.Length > inode.Current.Length)
            {
                inode.Change(new PendingWrite(0, null, write.Position + bytes.Length)); // A write past the end makes the file longer.
            }
            inode.Change(write);
            return true;
        });

        private T Do<T>(string call, bool isChange, Func<T> act) => disk.Do(call, disk.NameOf(inode) ?? name, isChange, () =>
        {
            ObjectDisposedException.ThrowIf(_isClosed, this); // In the call: one that was held up finds a file that was closed under it.
            return act();
        });
    }
}
