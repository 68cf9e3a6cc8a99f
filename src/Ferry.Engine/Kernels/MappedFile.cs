using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace Ferry.Engine.Kernels;

/// <summary>A file mapped read-only: its pages belong to the page cache, not to this process, and are read as they are touched.</summary>
/// <remarks>The file must not be cut while it is mapped (the system then kills the process); so it is open only while a model loads.</remarks>
internal sealed unsafe class MappedFile : IDisposable
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;

    /// <param name="path">An existing file of at least one byte.</param>
    public MappedFile(string path)
    {
        SafeFileHandle handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        try
        {
            ByteCount = RandomAccess.GetLength(handle);
            _file = MemoryMappedFile.CreateFromFile(
                handle, mapName: null, capacity: 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
        _view = _file.CreateViewAccessor(0, ByteCount, MemoryMappedFileAccess.Read);
        // The reference taken here keeps the mapping until Dispose gives it back.
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
        _start += _view.PointerOffset;
    }

    public long ByteCount { get; }

    /// <summary>Bytes of the file; valid until this object is disposed.</summary>
    public ReadOnlySpan<byte> Slice(long offset, int byteCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(byteCount);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, ByteCount - byteCount);
        ObjectDisposedException.ThrowIf(!_view.CanRead, this);
        return new ReadOnlySpan<byte>(_start + offset, byteCount);
    }

    public void Dispose()
    {
        if (_view.CanRead)
        {
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
            _view.Dispose();
        }
        _file.Dispose();
    }
}
