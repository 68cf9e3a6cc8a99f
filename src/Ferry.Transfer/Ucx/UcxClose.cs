namespace Ferry.Transfer.Ucx;

/// <summary>Closes an endpoint on its worker's thread.</summary>
internal sealed class UcxClose(UcxEndpoint endpoint) : IUcxWork
{
    public void Run() => endpoint.BeginClose();
}
