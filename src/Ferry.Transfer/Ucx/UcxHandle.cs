using System.Runtime.InteropServices;

namespace Ferry.Transfer.Ucx;

/// <summary>A native object of UCX: a context, a worker, mapped memory or a peer's key. Released once, and counted until then.</summary>
/// <remarks>A worker and its keys are released by the worker's thread: keys before their endpoint is closed, the worker after its endpoints.</remarks>
internal sealed class UcxHandle : SafeHandle
{
    private readonly Action<nint> _release;
    private readonly Action<int> _count;
    private readonly UcxHandle? _context;

    /// <param name="count">Of <see cref="UcxHandleCounts"/>.</param>
    /// <param name="context">Held until this is released; null where something else outlives it.</param>
    public UcxHandle(nint native, Action<nint> release, Action<int> count, UcxHandle? context = null)
        : base(0, ownsHandle: true)
    {
        _release = release;
        _count = count;
        _context = context;
        var held = false;
        context?.DangerousAddRef(ref held);
        SetHandle(native);
        count(1);
    }

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        _release(handle);
        _count(-1);
        _context?.DangerousRelease();
        return true;
    }
}
