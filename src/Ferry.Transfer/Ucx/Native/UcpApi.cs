using System.Runtime.InteropServices;

namespace Ferry.Transfer.Ucx.Native;

/// <summary>The functions of one loaded libucp, by pointer: the library is never needed to start, and the user may point to another one.</summary>
/// <remarks>Names and signatures: ucp/api/ucp.h. Opaque handles are void*. A ucs_status_ptr_t is null (done), an error (<see cref="IsError"/>) or a request.</remarks>
internal sealed unsafe class UcpApi
{
    public readonly delegate* unmanaged[Cdecl]<uint*, uint*, uint*, void> GetVersion;
    public readonly delegate* unmanaged[Cdecl]<byte*, byte*, void**, sbyte> ConfigRead;
    public readonly delegate* unmanaged[Cdecl]<void*, byte*, byte*, sbyte> ConfigModify;
    public readonly delegate* unmanaged[Cdecl]<void*, void> ConfigRelease;
    public readonly delegate* unmanaged[Cdecl]<uint, uint, UcpParams*, void*, void**, sbyte> InitVersion;
    public readonly delegate* unmanaged[Cdecl]<void*, void> Cleanup;
    public readonly delegate* unmanaged[Cdecl]<void*, void*, void> ContextPrintInfo;
    public readonly delegate* unmanaged[Cdecl]<void*, UcpWorkerParams*, void**, sbyte> WorkerCreate;
    public readonly delegate* unmanaged[Cdecl]<void*, void> WorkerDestroy;
    public readonly delegate* unmanaged[Cdecl]<void*, void**, nuint*, sbyte> WorkerGetAddress;
    public readonly delegate* unmanaged[Cdecl]<void*, void*, void> WorkerReleaseAddress;

    // Runs callbacks into managed code, so the GC transition may not be suppressed.
    public readonly delegate* unmanaged[Cdecl]<void*, uint> WorkerProgress;
    public readonly delegate* unmanaged[Cdecl]<void*, int*, sbyte> WorkerGetEventFd;
    public readonly delegate* unmanaged[Cdecl]<void*, sbyte> WorkerArm;
    public readonly delegate* unmanaged[Cdecl]<void*, sbyte> WorkerSignal;
    public readonly delegate* unmanaged[Cdecl]<void*, UcpMessageHandlerParams*, sbyte> WorkerSetMessageHandler;
    public readonly delegate* unmanaged[Cdecl]<void*, UcpEndpointParams*, void**, sbyte> EndpointCreate;
    public readonly delegate* unmanaged[Cdecl]<void*, UcpRequestParams*, void*> EndpointClose;
    public readonly delegate* unmanaged[Cdecl]<void*, UcpRequestParams*, void*> EndpointFlush;
    public readonly delegate* unmanaged[Cdecl]<void*, void*, void> EndpointPrintInfo;
    public readonly delegate* unmanaged[Cdecl]<void*, void*, void**, sbyte> EndpointUnpackKey;
    public readonly delegate* unmanaged[Cdecl]<void*, void> KeyDestroy;
    public readonly delegate* unmanaged[Cdecl]<void*, UcpMemMapParams*, void**, sbyte> MemMap;
    public readonly delegate* unmanaged[Cdecl]<void*, UcpMemAttributes*, sbyte> MemQuery;
    public readonly delegate* unmanaged[Cdecl]<void*, void*, sbyte> MemUnmap;
    public readonly delegate* unmanaged[Cdecl]<void*, void*, void**, nuint*, sbyte> KeyPack;
    public readonly delegate* unmanaged[Cdecl]<void*, void> KeyBufferRelease;
    public readonly delegate* unmanaged[Cdecl]<void*, void*, nuint, ulong, void*, UcpRequestParams*, void*> Get;
    public readonly delegate* unmanaged[Cdecl]<void*, void*, nuint, ulong, void*, UcpRequestParams*, void*> Put;
    public readonly delegate* unmanaged[Cdecl]<void*, uint, void*, nuint, void*, nuint, UcpRequestParams*, void*> SendMessage;
    public readonly delegate* unmanaged[Cdecl]<UcpGenericOperations*, void*, ulong*, sbyte> CreateGenericType;
    public readonly delegate* unmanaged[Cdecl]<void*, void> RequestFree;
    public readonly delegate* unmanaged[Cdecl]<sbyte, byte*> StatusText;

    // const char *ucs_memory_type_names[]: its order differs between releases, so types are asked for by name.
    private readonly byte** _memoryTypeNames;

    /// <exception cref="EntryPointNotFoundException">The library is too old or is another one.</exception>
    public UcpApi(nint library)
    {
        GetVersion = (delegate* unmanaged[Cdecl]<uint*, uint*, uint*, void>)Export("ucp_get_version");
        ConfigRead = (delegate* unmanaged[Cdecl]<byte*, byte*, void**, sbyte>)Export("ucp_config_read");
        ConfigModify = (delegate* unmanaged[Cdecl]<void*, byte*, byte*, sbyte>)Export("ucp_config_modify");
        ConfigRelease = (delegate* unmanaged[Cdecl]<void*, void>)Export("ucp_config_release");
        InitVersion = (delegate* unmanaged[Cdecl]<uint, uint, UcpParams*, void*, void**, sbyte>)Export("ucp_init_version");
        Cleanup = (delegate* unmanaged[Cdecl]<void*, void>)Export("ucp_cleanup");
        ContextPrintInfo = (delegate* unmanaged[Cdecl]<void*, void*, void>)Export("ucp_context_print_info");
        WorkerCreate = (delegate* unmanaged[Cdecl]<void*, UcpWorkerParams*, void**, sbyte>)Export("ucp_worker_create");
        WorkerDestroy = (delegate* unmanaged[Cdecl]<void*, void>)Export("ucp_worker_destroy");
        WorkerGetAddress = (delegate* unmanaged[Cdecl]<void*, void**, nuint*, sbyte>)Export("ucp_worker_get_address");
        WorkerReleaseAddress = (delegate* unmanaged[Cdecl]<void*, void*, void>)Export("ucp_worker_release_address");
        WorkerProgress = (delegate* unmanaged[Cdecl]<void*, uint>)Export("ucp_worker_progress");
        WorkerGetEventFd = (delegate* unmanaged[Cdecl]<void*, int*, sbyte>)Export("ucp_worker_get_efd");
        WorkerArm = (delegate* unmanaged[Cdecl]<void*, sbyte>)Export("ucp_worker_arm");
        WorkerSignal = (delegate* unmanaged[Cdecl]<void*, sbyte>)Export("ucp_worker_signal");
        WorkerSetMessageHandler = (delegate* unmanaged[Cdecl]<void*, UcpMessageHandlerParams*, sbyte>)Export("ucp_worker_set_am_recv_handler");
        EndpointCreate = (delegate* unmanaged[Cdecl]<void*, UcpEndpointParams*, void**, sbyte>)Export("ucp_ep_create");
        EndpointClose = (delegate* unmanaged[Cdecl]<void*, UcpRequestParams*, void*>)Export("ucp_ep_close_nbx");
        EndpointFlush = (delegate* unmanaged[Cdecl]<void*, UcpRequestParams*, void*>)Export("ucp_ep_flush_nbx");
        EndpointPrintInfo = (delegate* unmanaged[Cdecl]<void*, void*, void>)Export("ucp_ep_print_info");
        EndpointUnpackKey = (delegate* unmanaged[Cdecl]<void*, void*, void**, sbyte>)Export("ucp_ep_rkey_unpack");
        KeyDestroy = (delegate* unmanaged[Cdecl]<void*, void>)Export("ucp_rkey_destroy");
        MemMap = (delegate* unmanaged[Cdecl]<void*, UcpMemMapParams*, void**, sbyte>)Export("ucp_mem_map");
        MemQuery = (delegate* unmanaged[Cdecl]<void*, UcpMemAttributes*, sbyte>)Export("ucp_mem_query");
        MemUnmap = (delegate* unmanaged[Cdecl]<void*, void*, sbyte>)Export("ucp_mem_unmap");
        KeyPack = (delegate* unmanaged[Cdecl]<void*, void*, void**, nuint*, sbyte>)Export("ucp_rkey_pack");
        KeyBufferRelease = (delegate* unmanaged[Cdecl]<void*, void>)Export("ucp_rkey_buffer_release");
        Get = (delegate* unmanaged[Cdecl]<void*, void*, nuint, ulong, void*, UcpRequestParams*, void*>)Export("ucp_get_nbx");
        Put = (delegate* unmanaged[Cdecl]<void*, void*, nuint, ulong, void*, UcpRequestParams*, void*>)Export("ucp_put_nbx");
        SendMessage = (delegate* unmanaged[Cdecl]<void*, uint, void*, nuint, void*, nuint, UcpRequestParams*, void*>)Export("ucp_am_send_nbx");
        CreateGenericType = (delegate* unmanaged[Cdecl]<UcpGenericOperations*, void*, ulong*, sbyte>)Export("ucp_dt_create_generic");
        RequestFree = (delegate* unmanaged[Cdecl]<void*, void>)Export("ucp_request_free");
        // Of libucs, which libucp brings along; a look-up by the handle searches its dependencies too.
        StatusText = (delegate* unmanaged[Cdecl]<sbyte, byte*>)Export("ucs_status_string");
        _memoryTypeNames = NativeLibrary.TryGetExport(library, "ucs_memory_type_names", out var names) ? (byte**)names : null;

        void* Export(string name) => (void*)NativeLibrary.GetExport(library, name);
    }

    /// <summary>UCS_PTR_IS_ERR.</summary>
    public static bool IsError(void* pointer) => (nuint)pointer >= unchecked((nuint)(nint)(sbyte)UcsStatus.Last);

    /// <summary>UCS_PTR_RAW_STATUS of an error.</summary>
    public static UcsStatus ErrorOf(void* pointer) => (UcsStatus)(sbyte)(nint)pointer;

    /// <summary>The library's own words, with the number.</summary>
    public string Describe(UcsStatus status) => $"{Marshal.PtrToStringUTF8((nint)StatusText((sbyte)status)) ?? "unknown status"} ({(sbyte)status})";

    /// <summary>The name of a ucs_memory_type_t: <c>host</c>, <c>rocm</c>, <c>gaudi</c>…</summary>
    public string MemoryTypeName(int type) => MemoryTypeNames() is var names && type >= 0 && type < names.Count ? names[type] : $"type {type}";

    /// <summary>The memory types that this release knows, in its order.</summary>
    public IReadOnlyList<string> MemoryTypeNames()
    {
        var names = new List<string>();
        // The table ends with "unknown"; no release has had more than twelve.
        for (var i = 0; _memoryTypeNames is not null && i < 32 && _memoryTypeNames[i] is not null; i++)
        {
            var name = Marshal.PtrToStringUTF8((nint)_memoryTypeNames[i])!;
            if (name == "unknown")
            {
                break;
            }
            names.Add(name);
        }
        return names;
    }
}
