using Ferry.Cache.Remote.Directory;

namespace Ferry.UnitTests.CacheRemote.Directory;

/// <summary>The system's files under a process that dies at one of its changes: before it, after it, or in the middle of a write. What is dead changes nothing more.</summary>
/// <param name="crashAt">The boundary at which it dies, counted from 1.</param>
internal sealed class CrashingFiles(int crashAt) : IRecordFiles
{
    private readonly HashSet<string> _unflushed = [];
    private int _boundaries;

    public bool IsCrashed { get; private set; }

    public void CreateDirectory(string path) => Change(() => OsRecordFiles.Instance.CreateDirectory(path));

    public async Task WriteNewAsync(string path, ReadOnlyMemory<byte> bytes, bool flush, CancellationToken cancellationToken)
    {
        Pass();
        _unflushed.Add(path);
        using var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.None);
        Pass();
        var half = bytes.Length / 2;
        await RandomAccess.WriteAsync(file, bytes[..half], 0, cancellationToken);
        Pass();
        await RandomAccess.WriteAsync(file, bytes[half..], half, cancellationToken);
        Pass();
        if (flush)
        {
            _unflushed.Remove(path);
            Pass();
        }
    }

    public void Move(string from, string to) => Change(() =>
    {
        OsRecordFiles.Instance.Move(from, to);
        _unflushed.Remove(to);
        if (_unflushed.Remove(from))
        {
            _unflushed.Add(to);
        }
    });

    public void Delete(string path) => Change(() =>
    {
        OsRecordFiles.Instance.Delete(path);
        _unflushed.Remove(path);
    });

    public void DeleteDirectory(string path) => Change(() => OsRecordFiles.Instance.DeleteDirectory(path));

    /// <summary>The power goes too: names are on the medium, of the bytes that nobody flushed some are not.</summary>
    public void LosePower(int seed)
    {
        var random = new Random(seed);
        foreach (var path in _unflushed.Where(File.Exists).Order(StringComparer.Ordinal))
        {
            using var file = File.Open(path, FileMode.Open, FileAccess.ReadWrite);
            var kept = random.NextInt64(file.Length + 1);
            if (random.Next(2) == 0)
            {
                file.SetLength(kept);
                continue;
            }
            file.Position = kept;
            file.Write(new byte[file.Length - kept]); // The length is there, and zeros in the place of bytes.
        }
    }

    private void Change(Action change)
    {
        Pass();
        change();
        Pass();
    }

    private void Pass()
    {
        _boundaries++;
        IsCrashed |= _boundaries == crashAt;
        if (IsCrashed)
        {
            throw new IOException($"The process died at boundary {crashAt}.");
        }
    }
}
