using Ferry.Transfer.Ucx.Native;

namespace Ferry.Transfer.Ucx;

/// <summary>Told on the worker's thread when an operation has ended. Must neither block nor throw.</summary>
internal interface IUcxCompletion
{
    void Completed(UcsStatus status);
}
