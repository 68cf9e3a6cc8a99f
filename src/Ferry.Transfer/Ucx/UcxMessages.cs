using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Ferry.Transfer.Ucx.Native;

namespace Ferry.Transfer.Ucx;

/// <summary>The way of active messages from UCX to the handler of their worker.</summary>
internal sealed unsafe class UcxMessages : IDisposable
{
    private readonly UcxWorker _worker;
    private readonly uint _id;
    private GCHandle _self; // keeps this where UCX finds it again

    private UcxMessages(UcxWorker worker, uint id)
    {
        _worker = worker;
        _id = id;
        _self = GCHandle.Alloc(this);
    }

    /// <summary>Lets messages of an id in. On the worker's thread; the worker disposes the result after its native end.</summary>
    public static UcxMessages Register(UcxWorker worker, uint id)
    {
        var messages = new UcxMessages(worker, id);
        var parameters = new UcpMessageHandlerParams
        {
            FieldMask = UcpMessageHandlerParams.FieldId | UcpMessageHandlerParams.FieldFlags | UcpMessageHandlerParams.FieldCallback
                | UcpMessageHandlerParams.FieldArgument,
            Id = id,
            Flags = UcpMessageHandlerParams.FlagWholeMessage,
            Callback = &OnMessage,
            Argument = (void*)GCHandle.ToIntPtr(messages._self),
        };
        var status = (UcsStatus)worker.Context.Api.WorkerSetMessageHandler((void*)worker.Native, &parameters);
        if (status == UcsStatus.Ok)
        {
            return messages;
        }
        messages.Dispose();
        throw new UcxException($"ucp_worker_set_am_recv_handler({id}): {worker.Context.Api.Describe(status)}.", status);
    }

    public void Dispose() => _self.Free();

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static sbyte OnMessage(void* argument, void* header, nuint headerBytes, void* data, nuint bytes, UcpMessageParams* parameters)
    {
        var messages = (UcxMessages)GCHandle.FromIntPtr((nint)argument).Target!;
#pragma warning disable CA1031 // Called from native code, which an exception must not cross.
        try
        {
            // A rendezvous message would have to be fetched with memory of its sender's choosing; Ferry's own are eager, and small.
            if (headerBytes > int.MaxValue || bytes > int.MaxValue || (parameters is not null && (parameters->Attributes & UcpMessageParams.FlagRendezvous) != 0))
            {
                UcxLog.MessageDropped(messages._worker.Logger, messages._id, (long)bytes);
                return (sbyte)UcsStatus.Ok;
            }
            messages._worker.Deliver(messages._id, new ReadOnlySpan<byte>(header, (int)headerBytes), new ReadOnlySpan<byte>(data, (int)bytes));
        }
        catch (Exception exception)
        {
            UcxLog.CallbackFailed(messages._worker.Logger, exception);
        }
#pragma warning restore CA1031
        return (sbyte)UcsStatus.Ok;
    }
}
