using Ferry.Transfer.Ucx.Native;

namespace Ferry.Transfer.Ucx;

/// <summary>Told when UCX has let go of an endpoint, whatever the status: it is gone in any case.</summary>
internal sealed class UcxClosed(UcxEndpoint endpoint) : IUcxCompletion
{
    public void Completed(UcsStatus status) => endpoint.EndClose();
}
