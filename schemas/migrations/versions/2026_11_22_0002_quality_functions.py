"""SQL functions that the gate's rules call: check digits of identifiers, currencies, countries.

Revision: 0002, after 0001. Only functions are added, so the code before it does not notice.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# ISO 4217 as of 2026, current codes, then withdrawn ones, which old files still hold.
CURRENCIES = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF
    CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP
    GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT
    LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR
    NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN
    SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAD
    XAF XAG XAU XBA XBB XBC XBD XCD XCG XDR XOF XPD XPF XPT XSU XTS XUA XXX YER ZAR ZMW ZWG

    ADP AFA ALK ANG AOK AON AOR ARA ARP ARY ATS AYM AZM BAD BEC BEF BEL BGJ BGK BGL BGN BOP BRB BRC BRE BRN
    BRR BUK BYB BYR CHC CSD CSJ CSK CUC CYP DDM DEM ECS ECV EEK ESA ESB ESP FIM FRF GEK GHC GHP GNE GNS GQE
    GRD GWE GWP HRD HRK IEP ILP ILR ISJ ITL LAJ LSM LTL LTT LUC LUF LUL LVL LVR MGF MLF MRO MTL MTP MVQ MXP
    MZE MZM NIC NLG PEH PEI PES PLZ PTE RHD ROK ROL RUR SDD SDP SIT SKK SLL SRG STD SUR TJR TMM TPE TRL UAK
    UGS UGW USS UYN UYP VEB VEF VNC XEU XFO XFU XRE YDD YUD YUM YUN ZAL ZMK ZRN ZRZ ZWC ZWD ZWL ZWN ZWR
"""

# ISO 3166-1 alpha-2
COUNTRIES = """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW
    BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI
    FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN
    IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME
    MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF
    PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV
    SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE
    YT ZA ZM ZW
"""

# ISO 6166: letters become two digits (A = 10), then Luhn's sum from the right.
IS_VALID_ISIN = """
create function quality.is_valid_isin(code text) returns boolean
language plpgsql immutable strict parallel safe as $$
declare
    position integer;
    digit integer;
    total integer := 0;
    doubles boolean := true;
begin
    if code !~ '^[A-Z]{2}[A-Z0-9]{9}[0-9]$' then
        return false;
    end if;
    for position in reverse 11..1 loop
        digit := ascii(substr(code, position, 1)) - 48;
        if digit > 9 then
            digit := digit - 7;
            total := total + case when doubles
                then (digit % 10) * 2 - 9 * (digit % 10 / 5) + digit / 10
                else digit % 10 + (digit / 10) * 2 end;
        else
            total := total + case when doubles then digit * 2 - 9 * (digit / 5) else digit end;
            doubles := not doubles;
        end if;
    end loop;
    return (10 - total % 10) % 10 = ascii(substr(code, 12, 1)) - 48;
end $$
"""

IS_VALID_CUSIP = """
create function quality.is_valid_cusip(code text) returns boolean
language plpgsql immutable strict parallel safe as $$
declare
    position integer;
    digit integer;
    total integer := 0;
begin
    if code !~ '^[0-9A-Z*@#]{8}[0-9]$' then
        return false;
    end if;
    for position in 1..8 loop
        digit := strpos('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*@#', substr(code, position, 1)) - 1;
        if position % 2 = 0 then
            digit := digit * 2;
        end if;
        total := total + digit / 10 + digit % 10;
    end loop;
    return (10 - total % 10) % 10 = ascii(substr(code, 9, 1)) - 48;
end $$
"""

IS_VALID_SEDOL = """
create function quality.is_valid_sedol(code text) returns boolean
language sql immutable parallel safe
return code ~ '^[0-9B-DF-HJ-NP-TV-Z]{6}[0-9]$' and (
      (strpos('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', substr(code, 1, 1)) - 1)
    + (strpos('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', substr(code, 2, 1)) - 1) * 3
    + (strpos('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', substr(code, 3, 1)) - 1)
    + (strpos('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', substr(code, 4, 1)) - 1) * 7
    + (strpos('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', substr(code, 5, 1)) - 1) * 3
    + (strpos('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', substr(code, 6, 1)) - 1) * 9
    + (strpos('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', substr(code, 7, 1)) - 1)) % 10 = 0
"""

# ISO 17442 takes its check digits from ISO 7064 (MOD 97-10): letters become two digits, rest is 1.
IS_VALID_LEI = """
create function quality.is_valid_lei(code text) returns boolean
language plpgsql immutable strict parallel safe as $$
declare
    position integer;
    digit integer;
    rest integer := 0;
begin
    if code !~ '^[A-Z0-9]{18}[0-9]{2}$' then
        return false;
    end if;
    for position in 1..20 loop
        digit := ascii(substr(code, position, 1)) - 48;
        rest := case when digit > 9 then (rest * 100 + digit - 7) % 97 else (rest * 10 + digit) % 97 end;
    end loop;
    return rest = 1;
end $$
"""

# Not strict: only so is it inlined, and 1,000,000 look-ups in a hashed list take 0.2 s instead of 7 s.
LISTED = """
create function quality.{name}(code text) returns boolean
language sql immutable parallel safe
return code = any (array[{codes}])
"""

FUNCTIONS = ("is_valid_isin", "is_valid_cusip", "is_valid_sedol", "is_valid_lei", "is_currency", "is_country")


def upgrade() -> None:
    """Apply."""
    for statement in (IS_VALID_ISIN, IS_VALID_CUSIP, IS_VALID_SEDOL, IS_VALID_LEI):
        op.execute(statement)
    for name, codes in (("is_currency", CURRENCIES), ("is_country", COUNTRIES)):
        quoted = ", ".join(f"'{code}'" for code in codes.split())
        op.execute(LISTED.format(name=name, codes=quoted))


def downgrade() -> None:
    """Revert."""
    for name in FUNCTIONS:
        op.execute(f"drop function if exists quality.{name}(text)")
