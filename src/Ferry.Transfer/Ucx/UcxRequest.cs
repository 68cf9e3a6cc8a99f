using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Ferry.Transfer.Ucx.Native;

namespace Ferry.Transfer.Ucx;

/// <summary>One operation of UCX under way, and whom to tell. Kept by its worker and used again, so that an operation allocates nothing.</summary>
/// <remarks>All members are for the worker's thread only.</remarks>
internal sealed unsafe class UcxRequest
{
    private readonly UcxWorker _worker;
    private GCHandle _self; // keeps this where UCX finds it again
    private IUcxCompletion? _target;

    public UcxRequest(UcxWorker worker)
    {
        _worker = worker;
        _self = GCHandle.Alloc(this);
    }

    /// <summary>Parameters that report to this request.</summary>
    public UcpRequestParams Parameters => new()
    {
        AttributeMask = UcpRequestParams.AttributeCallback | UcpRequestParams.AttributeUserData,
        Callback = &OnCompleted,
        UserData = (void*)GCHandle.ToIntPtr(_self),
    };

    /// <summary>
    /// Takes what UCX returned. Anything but <see cref="UcsStatus.InProgress"/> has ended already, and nobody is told;
    /// else <paramref name="target"/> will be.
    /// </summary>
    public UcsStatus Begin(void* returned, IUcxCompletion target)
    {
        if (returned is null)
        {
            _worker.Return(this);
            return UcsStatus.Ok;
        }
        if (UcpApi.IsError(returned))
        {
            _worker.Return(this);
            return UcpApi.ErrorOf(returned);
        }
        _target = target;
        UcxHandleCounts.Request(1);
        return UcsStatus.InProgress;
    }

    /// <summary>Once no operation uses it.</summary>
    public void Free()
    {
        Debug.Assert(_target is null, "An operation is under way.");
        _self.Free();
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnCompleted(void* native, sbyte status, void* userData)
    {
        var request = (UcxRequest)GCHandle.FromIntPtr((nint)userData).Target!;
        var target = request._target!;
        request._target = null;
        UcxHandleCounts.Request(-1);
        var worker = request._worker;
        worker.Context.Api.RequestFree(native);
        worker.Return(request);
        worker.Tell(target, (UcsStatus)status);
    }
}
