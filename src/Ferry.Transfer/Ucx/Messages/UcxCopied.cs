using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Ferry.Transfer.Ucx.Native;

namespace Ferry.Transfer.Ucx.Messages;

/// <summary>
/// UCX's datatype of a payload that is copied into UCX's buffers when it is sent. One that UCX would send from where it lies (zero copy) can end the
/// process when its connection fails: UCX 1.13 releases what belongs to such a message twice (ucp_am_zcopy_completion, and the purge of what is pending).
/// </summary>
internal static unsafe class UcxCopied
{
    private static readonly Lock Gate = new();
    private static ulong _type; // One for the process, which keeps it.

    /// <summary>What the datatype's buffer points to: where the payload lies, and its bytes.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Source
    {
        public byte* Address;
        public nuint Bytes;
    }

    /// <exception cref="UcxException">UCX makes no more datatypes.</exception>
    public static ulong TypeOf(UcxLibrary library)
    {
        lock (Gate)
        {
            if (_type == 0)
            {
                var operations = new UcpGenericOperations
                {
                    StartPack = &StartPack,
                    StartUnpack = &StartPack,
                    PackedSize = &PackedSize,
                    Pack = &Pack,
                    Unpack = &Unpack,
                    Finish = &Finish,
                };
                ulong type;
                var status = (UcsStatus)library.Api.CreateGenericType(&operations, null, &type);
                _type = status == UcsStatus.Ok ? type : throw new UcxException($"ucp_dt_create_generic: {library.Api.Describe(status)}.", status);
            }
            return _type;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void* StartPack(void* context, void* buffer, nuint count) => buffer;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nuint PackedSize(void* state) => ((Source*)state)->Bytes;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nuint Pack(void* state, nuint offset, void* destination, nuint bytesMax)
    {
        var source = (Source*)state;
        var bytes = nuint.Min(bytesMax, source->Bytes - offset);
        NativeMemory.Copy(source->Address + offset, destination, bytes);
        return bytes;
    }

    /// <summary>Nothing is received as this type.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static sbyte Unpack(void* state, nuint offset, void* source, nuint bytes) => (sbyte)UcsStatus.Unsupported;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Finish(void* state)
    {
        // The sender keeps what it points to until the message is sent.
    }
}
