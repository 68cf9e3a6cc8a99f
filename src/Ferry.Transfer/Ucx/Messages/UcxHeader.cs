using System.Runtime.InteropServices;

namespace Ferry.Transfer.Ucx.Messages;

/// <summary>A message's header where UCX finds it until the message is sent.</summary>
internal sealed unsafe class UcxHeader(int bytes) : IDisposable
{
    public nint Address { get; } = (nint)NativeMemory.Alloc((nuint)bytes);

    public Span<byte> Span => new((void*)Address, bytes);

    public void Dispose() => NativeMemory.Free((void*)Address);
}
