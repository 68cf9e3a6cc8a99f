using System.Runtime.InteropServices;

namespace Ferry.Transfer.Ucx.Native;

/// <summary>ucp_worker_params_t; thread mode 0 is UCS_THREAD_MODE_SINGLE.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct UcpWorkerParams
{
    public const ulong FieldThreadMode = 1 << 0;

    [FieldOffset(0)]
    public ulong FieldMask;

    [FieldOffset(8)]
    public int ThreadMode;
}
