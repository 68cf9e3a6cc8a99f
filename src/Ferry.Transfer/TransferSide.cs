namespace Ferry.Transfer;

/// <summary>The side to blame.</summary>
public enum TransferSide : byte
{
    Local = 1,
    Remote = 2,
}
