using Ferry.Transfer.Ucx.Native;

namespace Ferry.Transfer.Ucx;

/// <summary>Told when a closing endpoint has nothing more to send, or has had its time.</summary>
internal sealed class UcxDrained(UcxEndpoint endpoint) : IUcxCompletion, IUcxWork
{
    public void Completed(UcsStatus status) => endpoint.Worker.Defer(this);

    public void Run() => endpoint.CloseNow();
}
