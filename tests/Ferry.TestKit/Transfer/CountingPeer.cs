using System.Reflection;
using Ferry.Transfer;

namespace Ferry.TestKit.Transfer;

/// <summary>A peer that notes the length of every piece that it is asked to read, before it reads it.</summary>
public class CountingPeer : DispatchProxy
{
    private ITransferPeer? _peer;
    private List<long>? _pieces;

    public static ITransferPeer Around(ITransferPeer peer, List<long> pieces)
    {
        var proxy = Create<ITransferPeer, CountingPeer>();
        ((CountingPeer)(object)proxy)._peer = peer;
        ((CountingPeer)(object)proxy)._pieces = pieces;
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        if (targetMethod!.Name == nameof(ITransferPeer.ReadAsync))
        {
            lock (_pieces!)
            {
                foreach (var descriptor in ((ReadOnlyMemory<TransferDescriptor>)args![0]!).Span)
                {
                    _pieces.Add(descriptor.Remote.Bytes);
                }
            }
        }
        return targetMethod.Invoke(_peer, args);
    }
}
