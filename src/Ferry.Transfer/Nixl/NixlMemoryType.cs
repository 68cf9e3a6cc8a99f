namespace Ferry.Transfer.Nixl;

/// <summary>NIXL's segment types (nixl_types.h). The numbers are on the wire.</summary>
public enum NixlMemoryType
{
    Dram = 0,
    Vram = 1,
    Block = 2,
    Object = 3,
    File = 4,
}
