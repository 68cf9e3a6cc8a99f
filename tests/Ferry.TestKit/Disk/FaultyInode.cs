using Ferry.Cache.Tiers.Disk;

namespace Ferry.TestKit.Disk;

/// <summary>A file's bytes as its process sees them, as the medium has them, and what lies between.</summary>
internal sealed class FaultyInode
{
    private const int SectorBytes = 512;

    private byte[] _durable = [];
    private readonly List<PendingWrite> _pending = [];

    public byte[] Current { get; private set; } = [];

    public HashSet<long> Holes { get; } = [];

    public void Change(PendingWrite write)
    {
        Current = Applied(Current, write, null);
        _pending.Add(write);
        for (var page = 0L; page < (write.HoleBytes + DiskPages.PageBytes - 1) / DiskPages.PageBytes; page++)
        {
            Holes.Add((write.Position / DiskPages.PageBytes) + page);
        }
        if (write.LengthBytes >= 0)
        {
            Holes.RemoveWhere(page => page * DiskPages.PageBytes >= write.LengthBytes);
        }
    }

    public void Sync()
    {
        _durable = [.. Current];
        _pending.Clear();
    }

    /// <summary>The power goes and comes back: of what was not synced, each piece is there, or not, or some of its sectors are.</summary>
    public void LosePower(Random random, PowerLoss loss)
    {
        foreach (var write in _pending)
        {
            var keep = loss switch
            {
                PowerLoss.KeepsAll => true,
                PowerLoss.LosesAll => false,
                _ => random.Next(3) > 0,
            };
            if (keep)
            {
                _durable = Applied(_durable, write, loss == PowerLoss.Tears && random.Next(2) == 0 ? random : null);
            }
        }
        _pending.Clear();
        Current = [.. _durable];
        Holes.Clear();
    }

    /// <param name="tear">Not null: each sector is written or not.</param>
    private static byte[] Applied(byte[] bytes, PendingWrite write, Random? tear)
    {
        if (write.LengthBytes >= 0)
        {
            Array.Resize(ref bytes, (int)write.LengthBytes);
            return bytes;
        }
        var end = Math.Min(write.Position + (write.Bytes?.Length ?? write.HoleBytes), bytes.Length); // Past a length that was lost there is nothing.
        for (var sector = write.Position / SectorBytes * SectorBytes; sector < end; sector += SectorBytes)
        {
            if (tear?.Next(2) == 0)
            {
                continue;
            }
            var start = Math.Max(sector, write.Position);
            var target = bytes.AsSpan((int)start, (int)(Math.Min(sector + SectorBytes, end) - start));
            if (write.Bytes is { } source)
            {
                source.AsSpan((int)(start - write.Position), target.Length).CopyTo(target);
            }
            else
            {
                target.Clear();
            }
        }
        return bytes;
    }
}
