using System.Runtime.InteropServices;

namespace Ferry.Transfer.Ucx.Native;

/// <summary>ucp_generic_dt_ops_t: how the bytes of a datatype are packed and unpacked.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct UcpGenericOperations
{
    public delegate* unmanaged[Cdecl]<void*, void*, nuint, void*> StartPack;
    public delegate* unmanaged[Cdecl]<void*, void*, nuint, void*> StartUnpack;
    public delegate* unmanaged[Cdecl]<void*, nuint> PackedSize;
    public delegate* unmanaged[Cdecl]<void*, nuint, void*, nuint, nuint> Pack;
    public delegate* unmanaged[Cdecl]<void*, nuint, void*, nuint, sbyte> Unpack;
    public delegate* unmanaged[Cdecl]<void*, void> Finish;
}
